package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

func manCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:        "man",
		Usage:       "print the manual page",
		Description: "To read it: hawser man | man -l -\nTo install it: hawser man > /usr/share/man/man8/hawser.8",
		Before:      noArguments,
		Action: func(c *cli.Context) error {
			_, err := fmt.Fprint(sys.stdout, manual(c.App))
			return err
		},
	}
}

// manual is the manual page in the macros of man(7), made from the commands themselves.
func manual(app *cli.App) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH HAWSER 8 \"\" \"hawser %s\" \"Cluster administration\"\n", roff(app.Version))
	fmt.Fprintf(&b, ".SH NAME\nhawser \\- %s\n.SH SYNOPSIS\n.B hawser\n.I COMMAND\n[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n.SH DESCRIPTION\n%s\n", roff(app.Usage), roff(app.Description))
	b.WriteString(".SH COMMANDS\n")
	for _, c := range app.Commands {
		if !c.Hidden && c.Name != "help" {
			manualCommand(&b, "hawser "+c.Name, c)
		}
	}
	for _, s := range []section{
		{"CONFIGURATION", "# an example\n" + strings.TrimPrefix(configExample, "# hawser.yaml\n") + "\n\n" + configKeys},
		{"EXIT STATUS", exitCodeText()}, {"ENVIRONMENT", environment}, {"FILES", files},
		{"SEE ALSO", "crm(8), crm_mon(8), cibadmin(8), haproxy(1), ocf_hawser_haproxy, ocf_hawser_floatip"},
	} {
		fmt.Fprintf(&b, ".SH %s\n.nf\n%s\n.fi\n", s.title, roff(s.text))
	}
	return b.String()
}

func manualCommand(b *strings.Builder, name string, c *cli.Command) {
	fmt.Fprintf(b, ".SS %s\n.B %s\n.PP\n%s.\n", roff(name), roff(usageText(name, c)), roff(upperFirst(c.Usage)))
	if c.Description != "" {
		fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roff(c.Description))
	}
	if !c.SkipFlagParsing {
		for _, line := range flagLines(c.Flags) {
			fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(line[0])), roff(line[1]))
		}
	}
	for _, sub := range c.Subcommands {
		if sub.Name != "help" {
			manualCommand(b, name+" "+sub.Name, sub)
		}
	}
}

// roff escapes what roff would take for markup.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "`", "'").Replace(text)
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
