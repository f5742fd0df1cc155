package manual

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// Help is the help of a command, as --help prints it. Sections without text are left out.
func Help(name string, c *cli.Command, sections ...Section) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s - %s\n\nUsage:\n%s\n", name, c.Usage, Indent(Usage(name, c)))
	if c.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", Indent(c.Description))
	}
	if len(c.Subcommands) > 0 {
		b.WriteString("\nCommands:\n")
		b.WriteString(Commands(c.Subcommands))
	}
	if !c.SkipFlagParsing {
		b.WriteString("\nOptions:\n")
		lines := append(Flags(c.Flags), [2]string{"-h, --help", "show this help"})
		width := 24
		for _, line := range lines {
			width = max(width, len(line[0]))
		}
		for _, line := range lines {
			fmt.Fprintf(&b, "  %-*s %s\n", width, line[0], line[1])
		}
	}
	for _, s := range sections {
		if s.Text != "" {
			fmt.Fprintf(&b, "\n%s:\n%s\n", s.Title, Indent(s.Text))
		}
	}
	return b.String()
}

// Commands lists the commands that are not hidden, one a line.
func Commands(commands []*cli.Command) string {
	var b strings.Builder
	for _, c := range commands {
		if !c.Hidden && c.Name != "help" {
			fmt.Fprintf(&b, "  %-14s %s\n", c.Name, c.Usage)
		}
	}
	return b.String()
}

// Indent indents a text by two columns.
func Indent(text string) string {
	return "  " + strings.ReplaceAll(strings.ReplaceAll(text, "\n", "\n  "), "\n  \n", "\n\n")
}
