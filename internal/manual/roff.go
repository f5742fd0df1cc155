// Package manual makes manual pages, in the macros of man(7), from what the programs already say of
// themselves: their commands and options (urfave/cli), and the declarations of the resource agents
// (package ocf).
//
// It imports ocf and param. Open command.go first.
package manual

import (
	"fmt"
	"strings"
)

// Section is one part of a page: a title, and lines that are kept as they are.
type Section struct {
	Title, Text string
	// Prose says that the text is filled. Its lines that begin with a space stand as they are.
	Prose bool
}

// Header begins a page.
type Header struct {
	Name    string // of the page: hawser, hawser.yaml
	Section string // 8
	Short   string // a few words, after the name and a dash
	Version string // of hawser
	Part    string // of the manual: "Cluster administration"
}

func (h Header) write(b *strings.Builder) {
	fmt.Fprintf(b, ".TH %s %s \"\" \"hawser %s\" \"%s\"\n", strings.ToUpper(Escape(h.Name)),
		h.Section, Escape(h.Version), Escape(h.Part))
	fmt.Fprintf(b, ".SH NAME\n%s \\- %s\n", Escape(h.Name), Escape(h.Short))
}

// write writes the lines as they are, however long, if they are tables and examples.
func (s Section) write(b *strings.Builder) {
	fmt.Fprintf(b, ".SH %s\n", Escape(s.Title))
	if s.Prose {
		prose(b, s.Text)
		return
	}
	fmt.Fprintf(b, ".nf\n%s\n.fi\n", Escape(s.Text))
}

// prose are paragraphs that roff fills, and lines that begin with a space and stand as they are.
func prose(b *strings.Builder, text string) {
	asIs := false
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		switch example := strings.HasPrefix(line, " "); {
		case line == "" && !asIs:
			b.WriteString(".PP\n")
			continue
		case line != "" && example != asIs:
			b.WriteString(map[bool]string{true: ".nf\n", false: ".fi\n"}[example])
			asIs = example
		}
		b.WriteString(Escape(line) + "\n")
	}
	if asIs {
		b.WriteString(".fi\n")
	}
}

// Text is a page of sections only.
func Text(h Header, sections ...Section) string {
	var b strings.Builder
	h.write(&b)
	for _, s := range sections {
		s.write(&b)
	}
	return b.String()
}

// paragraphs are texts that roff fills, parted by empty lines.
func paragraphs(b *strings.Builder, text string, macro string) {
	for i, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			b.WriteString(macro + "\n")
		}
		b.WriteString(Escape(strings.TrimSpace(p)) + "\n")
	}
}

// Escape escapes what roff would take for markup.
func Escape(text string) string {
	lines := strings.Split(escapeInLine(text), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

// escapeInLine is Escape for text that does not begin a line.
func escapeInLine(text string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "`", "'").Replace(text)
}

func upperFirst(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
