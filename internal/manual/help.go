package manual

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/internal/words"
)

// Columns of a terminal, and of what help indents by two.
const (
	screen   = 80
	indented = screen - 2
)

// Help is the help of a command, as --help prints it, for a terminal of 80 columns. Sections
// without text are left out.
func Help(name string, c *cli.Command, sections ...Section) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nUsage:\n%s\n",
		words.Fill(name+" - "+c.Usage, screen),
		Indent(words.WrapUsage(name, Usage(name, c), indented)))
	if c.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", Indent(words.Fill(c.Description, indented)))
	}
	if len(c.Subcommands) > 0 {
		b.WriteString("\nCommands:\n")
		b.WriteString(Commands(c.Subcommands))
	}
	if !c.SkipFlagParsing {
		b.WriteString("\nOptions:\n")
		const column = 25
		for _, line := range append(Flags(c.Flags), [2]string{"-h, --help", "show this help"}) {
			b.WriteString(Indent(words.Beside(line[0], line[1], column, indented)))
		}
	}
	for _, s := range sections {
		if s.Text != "" {
			text := s.Text
			if s.Prose {
				text = words.Fill(text, indented)
			}
			fmt.Fprintf(&b, "\n%s:\n%s\n", s.Title, Indent(text))
		}
	}
	return b.String()
}

// Commands lists the commands that are not hidden, one a line.
func Commands(commands []*cli.Command) string {
	var b strings.Builder
	for _, c := range commands {
		if !c.Hidden && c.Name != "help" {
			b.WriteString(Indent(words.Beside(c.Name, c.Usage, 15, indented)))
		}
	}
	return b.String()
}

// Indent indents a text by two columns.
func Indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line != "\n" {
			b.WriteString("  ")
		}
		b.WriteString(line)
	}
	return b.String()
}
