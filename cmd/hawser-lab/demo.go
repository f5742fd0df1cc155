package main

import (
	"bytes"
	"context"
	_ "embed" // the comparison
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/lab"
)

const (
	demoName     = "demo"
	demoYAMLPath = "/etc/hawser/hawser.yaml"
	// demoMonitor is the tutorial's interval. A HAProxy that dies is back long before the next
	// monitor: its keeper sees to that.
	demoMonitor = 15 * time.Second
)

// comparison is made from what `make bench` measured, and README.md shows it too.
//
//go:embed comparison.txt
var comparison string

var demoURL = "http://" + lab.FloatingIP.String() + "/"

func demoYAML() string {
	return fmt.Sprintf(`fencing: off                      # accepted on purpose
haproxy:
  config: /etc/haproxy/haproxy.cfg
  monitor: %s
floating_ips:
  - name: FloatIP
    ip: %s
    provider: digitalocean
    token_file: /etc/hawser/token
`, demoMonitor, lab.FloatingIP)
}

func demoCommand(std streams) *cli.Command {
	return &cli.Command{
		Name: "demo",
		Usage: "set a lab up with hawser, break it in three ways while a client watches, and " +
			"report what that cost",
		Flags: []cli.Flag{
			rootFlag(),
			&cli.StringFlag{
				Name: "overlay",
				Usage: "`DIR` that `make install DESTDIR=DIR` has filled with the agents and " +
					"hawser",
			},
			&cli.BoolFlag{Name: "keep", Usage: "leave the lab running"},
		},
		Action: func(c *cli.Context) error {
			if _, err := wantArgs(c); err != nil {
				return err
			}
			if c.String("overlay") == "" {
				return usagef("demo wants --overlay: the directory into which `make install " +
					"DESTDIR=` has put hawser; `make demo` does it all")
			}
			name := labName(c)
			if name == lab.DefaultName {
				name = demoName
			}
			d := &demo{std: std, keep: c.Bool("keep")}
			return d.run(c.Context, lab.Options{
				Name: name, Root: c.String("root"), Overlay: c.String("overlay"), Progress: std.out,
			})
		},
	}
}

type demo struct {
	std  streams
	keep bool
	lab  *lab.Lab
	rows []row
}

// run is the whole demonstration; whatever happens, nothing is left of it unless --keep is given.
func (d *demo) run(ctx context.Context, o lab.Options) (err error) {
	d.title("A lab: three balancers, two application servers, a client and a cloud")
	d.lab, err = lab.Up(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		switch {
		case d.keep && ctx.Err() == nil:
			d.hint(o.Name)
		default:
			downErr := d.lab.Down(context.WithoutCancel(ctx))
			if downErr == nil {
				printf(d.std.out, "\nThe lab is down; nothing is left of it.\n")
			}
			err = errors.Join(err, downErr)
		}
	}()
	if err := d.setUp(ctx); err != nil {
		return err
	}
	for _, f := range failures {
		if err := d.fail(ctx, f); err != nil {
			return d.explain(ctx, err)
		}
	}
	return d.table()
}

// setUp writes the cluster's configuration with hawser, as an operator would.
func (d *demo) setUp(ctx context.Context) error {
	d.title("What there is: one haproxy.cfg for all balancers, and one hawser.yaml")
	err := d.lab.Run(ctx, "lb-1", lab.Command{
		Args:  []string{"dd", "status=none", "of=" + demoYAMLPath},
		Stdin: strings.NewReader(demoYAML()),
	})
	if err != nil {
		return err
	}
	if err := d.shell(ctx, "lb-1", "sed -n '/^frontend/,$p' /etc/haproxy/haproxy.cfg"); err != nil {
		return err
	}
	if err := d.shell(ctx, "lb-1", "cat "+demoYAMLPath); err != nil {
		return err
	}
	d.title("One transaction, shown before it is made")
	if err := d.shell(ctx, "lb-1", "hawser plan -f "+demoYAMLPath); err != nil {
		return err
	}
	if err := d.apply(ctx); err != nil {
		return err
	}
	if err := d.shell(ctx, "lb-1", "hawser status"); err != nil {
		return err
	}
	if err := d.shell(ctx, "client", "curl -sS "+demoURL); err != nil {
		return err
	}
	return d.steady(ctx)
}

// apply leaves out what `hawser plan` has already shown.
func (d *demo) apply(ctx context.Context) error {
	line := "hawser apply --yes -f " + demoYAMLPath
	printf(d.std.out, "\nlb-1# %s\n", line)
	var out bytes.Buffer
	err := d.lab.Run(ctx, "lb-1", lab.Command{
		Args: strings.Fields(line), Stdout: &out, Stderr: &out,
	})
	text := out.String()
	if i := strings.Index(text, "Written."); err == nil && i >= 0 {
		text = "[the same warnings and the same plan]\n\n" + text[i:]
	}
	printf(d.std.out, "%s", text)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

// shell shows a command line as it is typed in the node, and runs it there.
func (d *demo) shell(ctx context.Context, node, line string) error {
	printf(d.std.out, "\n%s# %s\n", node, line)
	err := d.lab.Run(ctx, node, lab.Command{
		Args: []string{"sh", "-c", line}, Stdout: d.std.out, Stderr: d.std.out,
	})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

func (d *demo) title(text string) {
	printf(d.std.out, "\n== %s\n", text)
}

// explain shows the cluster's own view of what went wrong, while it is still up.
func (d *demo) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	printf(d.std.out, "\nIt went wrong: %v\n", err)
	for _, n := range d.lab.Nodes(lab.Balancer) {
		if d.lab.Running(n.Name) {
			// shown for what it is worth
			_ = d.shell(ctx, n.Name, "crm_mon -1rf; tail -n 20 /var/log/syslog")
			break
		}
	}
	return err
}

func (d *demo) hint(name string) {
	self := os.Args[0] + " --name " + name
	printf(d.std.out, `
The lab is still up. Try:
  %[1]s status
  %[1]s exec lb-1 -- hawser status
  %[1]s exec lb-1 -- crm_mon -1rf
  %[1]s probe %[2]s --for 10s
  %[1]s kill lb-2; %[1]s boot lb-2
  %[1]s cloud fault status --status 503
  %[1]s down
`, self, demoURL)
}
