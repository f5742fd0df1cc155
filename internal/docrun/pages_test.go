package docrun_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/docrun"
)

// root is the repository, docs the directory that the package has as /usr/share/doc/hawser.
const root, docs = "../..", "../../docs"

var (
	link     = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	codeSpan = regexp.MustCompile("`[^`]*`")
	notSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// pagesOf returns the pages that match, by their paths.
func pagesOf(t *testing.T, patterns ...string) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(root, p))
		require.NoError(t, err)
		require.NotEmpty(t, found, p)
		for _, path := range found {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			pages[path] = string(text)
		}
	}
	return pages
}

// splitCode returns the lines of a page's blocks of code, fenced or indented, and its others.
func splitCode(text string) (code, others []string) {
	fenced, blank, indented := false, true, false
	for line := range strings.SplitSeq(text, "\n") {
		isFence := strings.HasPrefix(strings.TrimSpace(line), "```")
		indented = strings.HasPrefix(line, "    ") && (blank || indented)
		switch {
		case isFence:
			fenced = !fenced
		case fenced || indented:
			code = append(code, line)
		default:
			others = append(others, line)
		}
		blank = strings.TrimSpace(line) == ""
	}
	return code, others
}

// headings returns the anchors that GitHub makes of a page's headings.
func headings(text string) []string {
	var all []string
	_, lines := splitCode(text)
	for _, line := range lines {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && line[0] == '#' {
			slug := notSlug.ReplaceAllString(strings.ToLower(title), "")
			all = append(all, strings.ReplaceAll(slug, " ", "-"))
		}
	}
	return all
}

// TestLinksOfThePages is that each link leads to a file, and to a heading of it, and that those of
// docs lead to what the package has.
func TestLinksOfThePages(t *testing.T) {
	pages := pagesOf(t, "*.md", "docs/*.md", "docs/decisions/*.md", "vagrant/*.md")
	for path, text := range pages {
		_, lines := splitCode(text)
		for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(strings.Join(lines, "\n"), "x"), -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			target := path
			if to != "" {
				target = filepath.Join(filepath.Dir(path), to)
			}
			_, err := os.Stat(target)
			require.NoError(t, err, "%s: %s", path, m[1])
			if strings.HasPrefix(path, docs+"/") {
				require.True(t, target == docs || strings.HasPrefix(target, docs+"/"),
					"%s: %s is not in the package: link to it by https", path, m[1])
			}
			if anchor != "" {
				require.Contains(t, headings(pages[target]), anchor, "%s: %s", path, m[1])
			}
		}
	}
}

// TestCodeOfThePages is that blocks of code fit a terminal.
func TestCodeOfThePages(t *testing.T) {
	// By programs, of what others printed; and what is read by those who have the sources.
	made := []string{"benchmarks.md", "vagrant-run.md", "architecture.md"}
	for path, text := range pagesOf(t, "README.md", "SECURITY.md", "docs/*.md") {
		if slices.Contains(made, filepath.Base(path)) {
			continue
		}
		code, _ := splitCode(text)
		for _, line := range code {
			line = strings.NewReplacer("\t", "        ", "…", "...").Replace(line) // in a manual page
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, "%s: %s", path, line)
		}
	}
}

// TestEveryPageIsListed is that docs/README.md, the list of pages, has all of them.
func TestEveryPageIsListed(t *testing.T) {
	list, err := os.ReadFile(docs + "/README.md")
	require.NoError(t, err)
	for path := range pagesOf(t, "docs/*.md") {
		if name := filepath.Base(path); name != "README.md" {
			require.Contains(t, string(list), "]("+name+")")
		}
	}
}

// TestThePagesThatAreRun is that the pages, and the steps beside them, can be read.
func TestThePagesThatAreRun(t *testing.T) {
	steps, err := filepath.Glob(docs + "/*.steps")
	require.NoError(t, err)
	require.NotEmpty(t, steps)
	for _, path := range steps {
		page, err := docrun.Read(strings.TrimSuffix(path, ".steps") + ".md")
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(page.Steps, func(s docrun.Step) bool { return s.Hidden }))
	}
}

// TestMessagesNameThePagesOfAMachine is that what a program says names no page of the sources, which
// a balancer does not have, and none that is not there.
func TestMessagesNameThePagesOfAMachine(t *testing.T) {
	const installed = "/usr/share/doc/hawser/"
	page := regexp.MustCompile(`(` + installed + `|docs/)[A-Za-z0-9_./-]+\.md`)
	named := 0
	for _, dir := range []string{"agents", "cluster", "cmd", "config", "crm", "doctor", "fence", "host", "internal", "ocf", "param", "protect", "share"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/cmd/hawser-lab/") {
				return err
			}
			text, err := os.ReadFile(path)
			for line := range strings.Lines(string(text)) {
				if strings.HasPrefix(strings.TrimSpace(line), "//") {
					continue
				}
				for _, m := range page.FindAllString(line, -1) {
					name, ok := strings.CutPrefix(m, installed)
					assert.True(t, ok, "%s: %s is %s… on a balancer", path, m, installed)
					assert.FileExists(t, filepath.Join(docs, strings.TrimPrefix(name, "docs/")), path)
					named++
				}
			}
			return err
		}))
	}
	require.Greater(t, named, 4)
}
