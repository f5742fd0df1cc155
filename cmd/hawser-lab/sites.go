package main

import (
	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/lab"
)

// sitesOf reads --sites and --qnetd.
func sitesOf(c *cli.Context) ([]lab.Site, lab.Qnetd, error) {
	var sites []lab.Site
	qnetd := lab.NoQnetd
	if c.IsSet("sites") {
		if c.IsSet("nodes") {
			return nil, qnetd, usagef("--sites says how many balancers there are: leave --nodes out")
		}
		var err error
		if sites, err = lab.ParseSites(c.String("sites")); err != nil {
			return nil, qnetd, usagef("--%v", err)
		}
		qnetd = lab.QnetdVotes
	}
	switch word := c.String("qnetd"); word {
	case "":
	case "no":
		qnetd = lab.NoQnetd
	case string(lab.QnetdVotes), string(lab.QnetdApart):
		qnetd = lab.Qnetd(word)
	default:
		return nil, qnetd, usagef("--qnetd %q: write yes, no or apart", word)
	}
	return sites, qnetd, nil
}
