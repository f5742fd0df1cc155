package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// section is one part of a help text or of the manual page: a title and lines that stand as they are.
type section struct{ title, text string }

const configExample = `# hawser.yaml
fencing: off                      # a cluster without fencing is accepted
haproxy:
  config: /etc/haproxy/haproxy.cfg
  monitor: 15s
floating_ips:
  - name: FloatIP
    ip: 203.0.113.10
    provider: digitalocean        # or lan, with cidr_netmask and nic
    token_file: /etc/hawser/token`

// configKeys documents hawser.yaml.
const configKeys = `fencing             off: a cluster without fencing is accepted; on: it is not. Without the key a
                    cluster is refused only if Pacemaker would start nothing
haproxy
  config            HAProxy's configuration, a file or a directory (/etc/haproxy/haproxy.cfg)
  binary            the program (/usr/sbin/haproxy)
  extra             further arguments, quoted as for a shell
  monitor           how often HAProxy is looked at (15s)
  check
    url             asked for through the balancer; 2xx and 3xx are healthy
    timeout         how long the answer may take
    every           how often it is asked for (as often as monitor)
  min_servers       fewer servers up in any backend is a failure. If check or min_servers fails on a node,
                    HAProxy leaves it for 10 s, and so does the address
  stop_grace        how long open connections may finish when HAProxy is stopped
  anchor_ip         HAWSER_ANCHOR_IP and HAWSER_PRIVATE_IP in HAProxy's environment where no
  private_ip        metadata service gives them
  metadata_url      another metadata service, scheme://host:port
floating_ips        a list
  name              the resource's id in the cluster, such as FloatIP
  ip                the address, IPv4 or IPv6
  provider          digitalocean (the default) or lan
  token_file        digitalocean: a file with the API token, mode 0600, on every node
  nic               lan: the interface (derived from the routes)
  cidr_netmask      lan: the length of the prefix (derived from the routes)
  monitor           how often the address is looked at (15s)
  api_url           digitalocean: another API, scheme://host:port
  metadata_url      digitalocean: another metadata service, scheme://host:port`

const environment = `CIB_file, CIB_shadow, CIB_server, CIB_port, CIB_user, …
                    as for Pacemaker's own tools: the configuration to work on
NO_COLOR            not empty: no colours
HAWSER_RUNDIR       the agents' runtime directory instead of /run/hawser`

const files = `./hawser.yaml, /etc/hawser/hawser.yaml
                    what the cluster should run, unless -f names another file
/run/hawser/        the agents' runtime files, with HAProxy's sockets`

// exitCodeText lists the exit codes, those given or all.
func exitCodeText(codes ...int) string {
	var b strings.Builder
	for _, e := range exitCodes {
		wanted := len(codes) == 0
		for _, c := range codes {
			wanted = wanted || c == e.code
		}
		if wanted {
			fmt.Fprintf(&b, "%-3d %s\n", e.code, e.meaning)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// finish gives every command the same manners and its help. prefix is the words before the command's name.
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

// asTemplate is a text as a template that prints it: urfave/cli wants templates, and theirs cannot show sections of our own.
func asTemplate(text string) string {
	return strings.ReplaceAll(text, "{{", `{{"{{"}}`)
}

func appHelp(app *cli.App) string {
	var b strings.Builder
	fmt.Fprintf(&b, "hawser - %s\n\nUsage:\n  hawser COMMAND [OPTIONS] [ARGUMENTS]\n\n%s\n\nCommands:\n", app.Usage, indent(app.Description))
	writeCommands(&b, app.Commands)
	fmt.Fprintf(&b, "\nOptions:\n  -h, --help       show this help; `hawser COMMAND --help` shows that of a command\n  -v, --version    print the version\n")
	fmt.Fprintf(&b, "\nhawser.yaml:\n%s\n\nIts keys:\n%s\n", indent(configExample), indent(configKeys))
	fmt.Fprintf(&b, "\nEnvironment:\n%s\n\nFiles:\n%s\n\nExit codes:\n%s\n", indent(environment), indent(files), indent(exitCodeText()))
	return b.String()
}

func commandHelp(name string, c *cli.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s - %s\n\nUsage:\n%s\n", name, c.Usage, indent(usageText(name, c)))
	if c.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", indent(c.Description))
	}
	if len(c.Subcommands) > 0 {
		b.WriteString("\nCommands:\n")
		writeCommands(&b, c.Subcommands)
	}
	if !c.SkipFlagParsing {
		b.WriteString("\nOptions:\n")
		for _, line := range flagLines(c.Flags) {
			fmt.Fprintf(&b, "  %-24s %s\n", line[0], line[1])
		}
		fmt.Fprintf(&b, "  %-24s %s\n", "-h, --help", "show this help")
	}
	return b.String()
}

func usageText(name string, c *cli.Command) string {
	if c.UsageText != "" {
		return c.UsageText
	}
	usage := name
	if len(c.Subcommands) > 0 {
		usage += " COMMAND"
	}
	for _, f := range c.Flags {
		if doc, ok := f.(cli.DocGenerationFlag); ok {
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

// flagLines is "-f, --file FILE" and what it does, for each flag.
func flagLines(flags []cli.Flag) [][2]string {
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

func writeCommands(b *strings.Builder, commands []*cli.Command) {
	for _, c := range commands {
		if !c.Hidden && c.Name != "help" {
			fmt.Fprintf(b, "  %-14s %s\n", c.Name, c.Usage)
		}
	}
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.ReplaceAll(text, "\n", "\n  "), "\n  \n", "\n\n")
}
