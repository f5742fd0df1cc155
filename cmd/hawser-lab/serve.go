package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/lab"
)

// serveCommand is the cloud of a cluster of real or virtual machines.
func serveCommand() *cli.Command {
	return &cli.Command{
		Name: "serve", Usage: "be the cloud, its router and the client, on a machine of its own",
		Description: "The machines have the names and addresses of a lab's nodes: lb-1 is " +
			"198.51.100.11 with the anchor 10.17.0.11 on the public\n" +
			"network and 10.132.0.11 on the private one, app-1 is 10.132.0.101. This machine " +
			"needs 198.51.100.1/24, 10.17.0.1/16 and\n" +
			"169.254.169.254/32 on the public network. It routes 203.0.113.10 to the balancer " +
			"that holds it, and runs until it is\n" +
			"interrupted. `hawser-lab cloud show` and the other commands work beside it. Root is " +
			"needed.",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "balancers", Value: 3, Usage: "`NUMBER` of balancers"},
			&cli.IntFlag{Name: "apps", Value: 2, Usage: "`NUMBER` of application servers"},
			&cli.PathFlag{
				Name: "token-file", Required: true, Usage: "`FILE` that holds the API token",
			},
			&cli.PathFlag{
				Name: "state", Value: "/var/lib/hawser-lab",
				Usage: "`DIRECTORY` that keeps the certificates over a reboot",
			},
			&cli.StringFlag{
				Name: "publish",
				Usage: "serve http://`ADDRESS:PORT`/ca.pem, the certificate that balancers have " +
					"to trust",
			},
		},
		Action: func(c *cli.Context) error {
			if _, err := wantArgs(c); err != nil {
				return err
			}
			b, err := os.ReadFile(c.Path("token-file"))
			if err != nil {
				return fmt.Errorf("read the API token: %w", err)
			}
			token := strings.TrimSpace(string(b))
			if token == "" {
				return usagef("%s is empty: it has to hold the API token", c.Path("token-file"))
			}
			return lab.ServeCloud(c.Context, lab.CloudOptions{
				Name: labName(c), State: c.Path("state"), Balancers: c.Int("balancers"),
				Apps: c.Int("apps"), Token: token, Publish: c.String("publish"),
			})
		},
	}
}
