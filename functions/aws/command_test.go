package aws_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// command compiles the operator's command once, as it is shipped.
var command = sync.OnceValues(func() (string, error) {
	dir, err := binaries()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", dir, "../../cmd/kycvault")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &buildError{string(out)}
	}
	return filepath.Join(dir, "kycvault"), nil
})

// kycvault runs the command on the archive that the stack's output names, on a machine that has nothing else of the stack, and
// gives its exit code and what it printed.
func (w *cloud) kycvault(args ...string) (code int, output string) {
	w.t.Helper()
	program, err := command()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.CommandContext(w.t.Context(), program, args...)
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	cmd.Dir = w.t.TempDir()
	cmd.Env = []string{
		"KYC_ARCHIVE=" + w.stack.Outputs["ArchiveUrl"] + "&path_style=true", "AWS_ENDPOINT_URL_S3=" + w.s3.URL, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + w.s3.AccessKey, "AWS_SECRET_ACCESS_KEY=" + w.s3.SecretKey, "HOME=" + cmd.Dir, "TMPDIR=" + cmd.Dir,
	}
	if err := cmd.Run(); err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			w.t.Fatal(err)
		}
		code = failed.ExitCode()
	}
	return code, printed.String()
}

// file writes a file for the command.
func (w *cloud) file(name string, data []byte) string {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}
