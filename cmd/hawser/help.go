package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/internal/manual"
)

const configExample = `# hawser.yaml
fencing:                          # what cuts off a node that is lost; or: sbd, on, off (see the keys)
  droplet:
    token_file: /etc/hawser/fence-token
    droplets: {lb-1: 1001, lb-2: 1002, lb-3: 1003}
haproxy:
  config: /etc/haproxy/haproxy.cfg
  monitor: 15s
floating_ips:
  - name: FloatIP
    ip: 203.0.113.10
    provider: digitalocean        # or lan, with cidr_netmask and nic
    token_file: /etc/hawser/token`

// configKeys documents hawser.yaml.
const configKeys = `fencing             off: a cluster without fencing is accepted. on: the cluster's own fencing devices are demanded,
                    and stonith-enabled=true. sbd: the nodes' watchdogs, as below. Without the key a cluster is
                    refused if Pacemaker would start nothing
  sbd               SBD without a disk: three nodes, or two and a quorum device; sbd.service on each
    watchdog_timeout
                    SBD_WATCHDOG_TIMEOUT of the nodes (5s); a lost node counts as down after twice that
  droplet           the device fence-droplet, which switches DigitalOcean's droplets off and on
    token_file      a file with an API token that may do so, mode 0600, on every node
    droplets        which droplet each node is, node: id or name (the droplet with the node's name)
    tag             only droplets with this tag
    delay           two nodes: the head start of the one that holds the address (15s; 0: none)
    monitor         how often the cloud is asked whether the token serves (5min)
    api_url         another API, scheme://host:port
    metadata_url    another metadata service, scheme://host:port
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
  keeper            on or off: a crashed HAProxy is brought back at once, its listening sockets kept (on)
  max_crashes       with that many crashes within crash_window the cluster recovers HAProxy (3)
  crash_window      (1min)
  unit              the systemd service whose settings HAProxy runs with, or none (haproxy.service)
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
	fmt.Fprintf(&b, "%s - %s\n\nUsage:\n%s\n", name, c.Usage, indent(manual.Usage(name, c)))
	if c.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", indent(c.Description))
	}
	if len(c.Subcommands) > 0 {
		b.WriteString("\nCommands:\n")
		writeCommands(&b, c.Subcommands)
	}
	if !c.SkipFlagParsing {
		b.WriteString("\nOptions:\n")
		lines := append(manual.Flags(c.Flags), [2]string{"-h, --help", "show this help"})
		width := 24
		for _, line := range lines {
			width = max(width, len(line[0]))
		}
		for _, line := range lines {
			fmt.Fprintf(&b, "  %-*s %s\n", width, line[0], line[1])
		}
	}
	if codes := exitCodeTextOf(c.Name); codes != "" {
		fmt.Fprintf(&b, "\nExit codes:\n%s\n", indent(codes))
	}
	return b.String()
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
