package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/manual"
)

const environment = `CIB_file, CIB_shadow, CIB_server, CIB_port, CIB_user, …
                    as for Pacemaker's own tools: the configuration to work on
NO_COLOR            not empty: no colours
HAWSER_RUNDIR       the agents' runtime directory instead of /run/hawser`

const files = `./hawser.yaml, /etc/hawser/hawser.yaml
                    what the cluster should run, unless -f names another file
/run/hawser/        the agents' runtime files, with HAProxy's sockets`

// exitCodeText lists every exit code; what it means of a single command stands below it.
func exitCodeText() string {
	var lines []string
	for _, e := range exitCodes {
		code := fmt.Sprintf("%-3d ", e.code)
		if e.meaning != "" {
			lines = append(lines, code+e.meaning)
			code = "    "
		}
		for _, own := range e.of {
			lines = append(lines, code+own.command+": "+own.meaning)
			code = "    "
		}
	}
	return strings.Join(lines, "\n")
}

// exitCodeTextOf lists the exit codes of one command, with what they mean of it.
func exitCodeTextOf(command string) string {
	var lines []string
	for _, e := range exitCodes {
		if !slices.Contains(exitCodesOf[command], e.code) {
			continue
		}
		meaning := e.meaning
		for _, own := range e.of {
			if own.command == command {
				meaning = own.meaning
			}
		}
		lines = append(lines, fmt.Sprintf("%-3d %s", e.code, meaning))
	}
	return strings.Join(lines, "\n")
}

// finish gives every command the same manners and its help. prefix is the words before the
// command's name.
func finish(commands []*cli.Command, prefix string) {
	for _, c := range commands {
		if c.OnUsageError == nil {
			c.OnUsageError = usageError
		}
		c.HideHelpCommand = true
		finish(c.Subcommands, prefix+" "+c.Name)
		c.CustomHelpTemplate = asTemplate(commandHelp(prefix+" "+c.Name, c))
	}
}

// asTemplate is a text as a template that prints it: urfave/cli wants templates, and theirs cannot
// show sections of our own.
func asTemplate(text string) string {
	return strings.ReplaceAll(text, "{{", `{{"{{"}}`)
}

func appHelp(app *cli.App) string {
	var b strings.Builder
	fmt.Fprintf(&b,
		"hawser - %s\n\nUsage:\n  hawser COMMAND [OPTIONS] [ARGUMENTS]\n\n%s\n\nCommands:\n",
		app.Usage, manual.Indent(app.Description))
	b.WriteString(manual.Commands(app.Commands))
	fmt.Fprintf(&b,
		"\nOptions:\n  -h, --help       show this help; `hawser COMMAND --help` shows that of a "+
			"command\n  -v, --version    print the version\n")
	fmt.Fprintf(&b, "\nhawser.yaml:\n%s\n\nIts keys:\n%s\n", manual.Indent(config.Example()),
		manual.Indent(config.Help()))
	fmt.Fprintf(&b, "\nEnvironment:\n%s\n\nFiles:\n%s\n\nExit codes:\n%s\n",
		manual.Indent(environment), manual.Indent(files), manual.Indent(exitCodeText()))
	return b.String()
}

// commandHelp is the help of one command.
func commandHelp(name string, c *cli.Command) string {
	return manual.Help(name, c, manual.Section{Title: "Exit codes", Text: exitCodeTextOf(c.Name)})
}
