package main

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// This file is what to compare with: the loop that a team writes by hand, with the standard library alone. It is a fair one:
// it makes no mistakes on purpose, and it does less (no time-outs, no retries, no digest, nothing synced to the disk).

// handReply is the part of a reply that the loop wants.
type handReply struct {
	Code   string `json:"code"`
	Result struct {
		Photo string `json:"photo"`
		Video string `json:"video"`
	} `json:"result"`
}

// decodeByHand reads a reply whole, and gives what was in it.
func decodeByHand(body io.Reader) (photo, video []byte, err error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, nil, err
	}
	var reply handReply
	if err := json.Unmarshal(text, &reply); err != nil {
		return nil, nil, err
	}
	if photo, err = base64.StdEncoding.DecodeString(reply.Result.Photo); err != nil {
		return nil, nil, err
	}
	video, err = base64.StdEncoding.DecodeString(reply.Result.Video)
	return photo, video, err
}

// byHand is the loop's configuration.
type byHand struct{ base, appID, secret, folder string }

// runByHand is the loop as a program: by-hand BASE APPID SECRET FOLDER ORDER.
func runByHand(_ context.Context, args []string) error {
	if len(args) != 5 {
		return errors.New("by-hand needs BASE APPID SECRET FOLDER ORDER")
	}
	return byHand{args[0], args[1], args[2], args[3]}.pull(args[4])
}

// pull asks up to three times, and writes the files.
func (h byHand) pull(order string) error {
	ticket, err := h.ticket()
	if err != nil {
		return err
	}
	for range 3 {
		photo, video, err := h.query(order, ticket)
		if err != nil {
			return err
		}
		if len(photo) > 0 && len(video) > 0 {
			if err := os.WriteFile(filepath.Join(h.folder, order+".jpg"), photo, 0o600); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(h.folder, order+".mp4"), video, 0o600)
		}
		time.Sleep(2 * time.Second)
	}
	return errors.New("no media")
}

func (h byHand) query(order, ticket string) (photo, video []byte, err error) {
	nonce := strings.ToUpper(rand.Text() + rand.Text())[:32]
	values := []string{h.appID, order, "1.0.0", ticket, nonce}
	slices.Sort(values)
	sum := sha1.Sum([]byte(strings.Join(values, ""))) //nolint:gosec // the service's own choice
	res, err := http.Get(h.base + "/api/server/sync?" + url.Values{
		"app_id": {h.appID}, "order_no": {order}, "version": {"1.0.0"}, "nonce": {nonce},
		"sign": {strings.ToUpper(hex.EncodeToString(sum[:]))}, "get_file": {"1"},
	}.Encode())
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	return decodeByHand(res.Body)
}

// ticket gets a token, and a ticket for it.
func (h byHand) ticket() (string, error) {
	var token struct {
		AccessToken string `json:"access_token"`
	}
	err := h.get("access_token", url.Values{
		"app_id": {h.appID}, "secret": {h.secret}, "grant_type": {"client_credential"}, "version": {"1.0.0"},
	}, &token)
	if err != nil {
		return "", err
	}
	var ticket struct {
		Tickets []struct {
			Value string `json:"value"`
		} `json:"tickets"`
	}
	err = h.get("api_ticket", url.Values{
		"app_id": {h.appID}, "access_token": {token.AccessToken}, "type": {"SIGN"}, "version": {"1.0.0"},
	}, &ticket)
	if err != nil {
		return "", err
	}
	if len(ticket.Tickets) == 0 {
		return "", fmt.Errorf("no ticket")
	}
	return ticket.Tickets[0].Value, nil
}

func (h byHand) get(call string, values url.Values, into any) error {
	res, err := http.Get(h.base + "/api/oauth2/" + call + "?" + values.Encode())
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	return json.NewDecoder(res.Body).Decode(into)
}
