package manual

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// App is the manual page of a program, made from its commands, followed by the sections.
func App(app *cli.App, part string, sections ...Section) string {
	var b strings.Builder
	Header{
		Name: app.Name, Section: "8", Short: app.Usage, Version: app.Version, Part: part,
	}.write(&b)
	fmt.Fprintf(&b,
		".SH SYNOPSIS\n.B %s\n.I COMMAND\n[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n.SH DESCRIPTION\n",
		Escape(app.Name))
	prose(&b, app.Description)
	b.WriteString(".SH COMMANDS\n")
	for _, c := range app.Commands {
		if !c.Hidden && c.Name != "help" {
			command(&b, app.Name+" "+c.Name, c)
		}
	}
	for _, s := range sections {
		s.write(&b)
	}
	return b.String()
}

func command(b *strings.Builder, name string, c *cli.Command) {
	fmt.Fprintf(b, ".SS %s\n.B %s\n.PP\n%s.\n", Escape(name), Escape(Usage(name, c)),
		Escape(upperFirst(c.Usage)))
	if c.Description != "" {
		b.WriteString(".PP\n")
		prose(b, c.Description)
	}
	if !c.SkipFlagParsing {
		for _, line := range Flags(c.Flags) {
			fmt.Fprintf(b, ".TP\n.B %s\n%s\n", Escape(strings.TrimSpace(line[0])), Escape(line[1]))
		}
	}
	for _, sub := range c.Subcommands {
		if sub.Name != "help" {
			command(b, name+" "+sub.Name, sub)
		}
	}
}

// Usage is how a command is called.
func Usage(name string, c *cli.Command) string {
	if c.UsageText != "" {
		return c.UsageText
	}
	usage := name
	if len(c.Subcommands) > 0 {
		usage += " COMMAND"
	}
	for _, f := range c.Flags {
		if doc, ok := f.(cli.DocGenerationFlag); ok && f.Names()[0] != "help" {
			option := dashes(f.Names()[len(f.Names())-1])
			if doc.TakesValue() {
				option += " " + placeholder(doc.GetUsage())
			}
			usage += " [" + option + "]"
		}
	}
	if c.ArgsUsage != "" {
		usage += " " + c.ArgsUsage
	}
	return usage
}

// Flags is "-f, --file FILE" and what it does, for each flag.
func Flags(flags []cli.Flag) [][2]string {
	var lines [][2]string
	for _, f := range flags {
		doc, ok := f.(cli.DocGenerationFlag)
		if !ok || f.Names()[0] == "help" {
			continue
		}
		names := f.Names()
		left := "    " + dashes(names[0])
		if len(names) > 1 {
			left = dashes(names[1]) + ", " + dashes(names[0])
		}
		usage := doc.GetUsage()
		if doc.TakesValue() {
			left += " " + placeholder(usage)
		}
		lines = append(lines, [2]string{left, strings.ReplaceAll(usage, "`", "")})
	}
	return lines
}

// placeholder is the word in back quotes of a flag's usage.
func placeholder(usage string) string {
	if _, rest, ok := strings.Cut(usage, "`"); ok {
		word, _, _ := strings.Cut(rest, "`")
		return word
	}
	return "VALUE"
}

func dashes(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
