package main

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The tests in this file hold the Chinese documents to the English ones. Words are the translator's; what a machine can compare
// is the same, in the same places: blocks of code, levels of headings, rows of tables, inline code, numbers, and where links lead.
// Since parts of README.md are made from the code, names, order and defaults in the Chinese tables are the code's too.

// translated are the documents that have a Chinese one beside them, by their paths in the repository.
func translated() []string {
	return []string{"README.md", "docs/integration.md", "docs/tencent.md"}
}

// chineseName gives the name of a document's Chinese one.
func chineseName(name string) string {
	return strings.TrimSuffix(name, ".md") + ".zh-CN.md"
}

var (
	fenceForm = regexp.MustCompile("(?ms)^```.*?^```$")
	levelForm = regexp.MustCompile(`(?m)^#+ `)
	rowForm   = regexp.MustCompile(`(?m)^\|.*\|$`)
	linkForm  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// inline code, addresses, variables, numbers
	factForm = regexp.MustCompile("`[^`\n]+`|[a-z0-9]+://[^\\s,、|]+|KYC_[A-Z_]+|[0-9](?:[0-9.,/]*[0-9])?")
)

func TestDocsChinese(t *testing.T) {
	for _, name := range translated() {
		english, chinese := document(t, filepath.Join(root, name)), document(t, filepath.Join(root, chineseName(name)))
		t.Run(name, func(t *testing.T) {
			wantSame(t, "block of code", fenceForm.FindAllString(english, -1), fenceForm.FindAllString(chinese, -1))
			wantSame(t, "link", links(t, name, english, chineseLink), links(t, name, chinese, nil))
			english, chinese := prose(english), prose(chinese)
			wantSame(t, "heading", levelForm.FindAllString(english, -1), levelForm.FindAllString(chinese, -1))
			wantSame(t, "row", rows(english), rows(chinese))
			wantSame(t, "section", sections(english), sections(chinese))
		})
	}
}

// TestDocsChineseSwitch: each document's third line leads to the one in the other language, and no Chinese one is on its own.
func TestDocsChineseSwitch(t *testing.T) {
	var known []string
	for _, name := range translated() {
		other := chineseName(name)
		wantLine(t, name, "[中文]("+path.Base(other)+")")
		wantLine(t, other, "[English]("+path.Base(name)+")")
		known = append(known, filepath.Join(root, other))
	}
	for name := range documents(t) {
		if strings.HasSuffix(name, ".zh-CN.md") && !slices.Contains(known, filepath.Clean(name)) {
			t.Errorf("no test compares %s with its English document", name)
		}
	}
}

func wantLine(t *testing.T, name, want string) {
	t.Helper()
	if lines := strings.Split(document(t, filepath.Join(root, name)), "\n"); lines[2] != want {
		t.Errorf("%s: the third line is %q, not %q", name, lines[2], want)
	}
}

// wantSame compares what there is of a kind in both documents and shows the first difference: those after it may only follow from it.
func wantSame(t *testing.T, kind string, english, chinese []string) {
	t.Helper()
	for i := range max(len(english), len(chinese)) {
		if e, c := at(english, i), at(chinese, i); e != c {
			t.Errorf("%s %d differs\nEnglish: %s\nChinese: %s", kind, i+1, e, c)
			return
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "(none)"
}

// prose is a document without its blocks of code, its comments, and the targets of its links.
func prose(text string) string {
	text = regexp.MustCompile("(?m)^<!-- .* -->$").ReplaceAllString(fenceForm.ReplaceAllString(text, ""), "")
	return linkForm.ReplaceAllString(text, "]")
}

// rows gives for each row of all tables what must be the same in it, cell by cell.
func rows(text string) (all []string) {
	for _, row := range rowForm.FindAllString(text, -1) {
		var cells []string
		for cell := range strings.SplitSeq(row, "|") {
			found := facts(cell)
			if strings.TrimSpace(cell) != "" && len(found) == 0 {
				found = []string{"words"}
			}
			cells = append(cells, strings.Join(found, " "))
		}
		all = append(all, strings.Join(cells, " | "))
	}
	return all
}

// sections gives for each section what must be the same in its paragraphs, however often they name it.
func sections(text string) (all []string) {
	for _, section := range levelForm.Split(rowForm.ReplaceAllString(text, ""), -1) {
		all = append(all, strings.Join(slices.Compact(facts(section)), " "))
	}
	return all
}

// facts are what a text holds of factForm's kinds, sorted: another language has another order of words.
func facts(text string) []string {
	return slices.Sorted(slices.Values(factForm.FindAllString(text, -1)))
}

// links gives the targets of a document's links, sorted, each as a function sees it.
func links(t *testing.T, name, text string, seen func(t *testing.T, from, target string) string) (targets []string) {
	t.Helper()
	for _, m := range linkForm.FindAllStringSubmatch(text, -1) {
		target := m[1]
		if target == path.Base(name) || target == path.Base(chineseName(name)) {
			continue // the other language
		}
		if seen != nil {
			target = seen(t, name, target)
		}
		targets = append(targets, target)
	}
	slices.Sort(targets)
	return targets
}

// chineseLink is where a link of an English document leads in the Chinese one: to the Chinese document if there is one, and
// to the heading at the same place in it.
func chineseLink(t *testing.T, from, target string) string {
	t.Helper()
	file, heading, _ := strings.Cut(target, "#")
	to := from
	if file != "" {
		to = path.Join(path.Dir(from), file)
	}
	if !slices.Contains(translated(), to) {
		return target
	}
	if heading != "" {
		i := slices.Index(anchors(document(t, filepath.Join(root, to))), heading)
		if i < 0 {
			t.Fatalf("%s has no heading %s", to, heading)
		}
		heading = "#" + at(anchors(document(t, filepath.Join(root, chineseName(to)))), i)
	}
	if file != "" {
		file = chineseName(file)
	}
	return file + heading
}
