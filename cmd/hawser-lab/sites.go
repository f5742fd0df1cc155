package main

import (
	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/lab"
)

func sitesFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "sites",
		Usage: "`SITES` in which the balancers stand, 2x2 (two balancers at each of two) or " +
			"main=2,reserve=1; --apps is then for each",
	}
}

func qnetdFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "qnetd",
		Usage: "`WORD` for a corosync-qnetd at a third place: yes (with --sites), no, or apart, where " +
			"the cluster does not know it",
	}
}

func qnetdTimeoutFlag() cli.Flag {
	return &cli.DurationFlag{
		Name: "qnetd-timeout", DefaultText: "10s",
		Usage: "how long the cluster waits for corosync-qnetd, three times as long while nodes come " +
			"and go",
	}
}

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
