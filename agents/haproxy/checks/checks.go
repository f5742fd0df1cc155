// Package checks does the checks of a resource on this node: requests through HAProxy, counts of
// servers, connections, programs of the operator's and carriers of interfaces. It counts good and bad
// results until they mean something, and keeps what they mean in a file.
//
// A check that fails is a reason for an address to prefer another node, and never one to stop
// HAProxy: see docs/decisions/0031-checks-are-preferences.md.
//
// It imports contract, param, the client of HAProxy and leaves of internal. Start reading here:
// a Runner does one check, record.go counts its results, book.go keeps them.
package checks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/internal/users"
	"github.com/hawser-ha/hawser/param"
)

// Runner does checks.
type Runner struct {
	// Env is the environment that HAProxy was started with, for the variables that a check mentions.
	Env []string
	// Servers asks HAProxy for its servers.
	Servers func(context.Context) ([]client.Stat, error)
	// Version is shown as the User-Agent of a request.
	Version string
	// Users finds the users that programs run as.
	Users users.Service
}

// Do does a check once, within its timeout. The error says why it is bad, and is read by everybody who
// may look at the cluster: what variables of HAProxy's environment hold is not in it.
func (r *Runner) Do(ctx context.Context, c *param.Check) error {
	return r.conceal(r.do(ctx, c), c)
}

func (r *Runner) do(ctx context.Context, c *param.Check) error {
	if c.Kind() == "interface" { // the kernel answers at once
		return r.carrier(ctx, c)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	var err error
	switch c.Kind() {
	case "url":
		err = r.request(ctx, c)
	case "backend":
		err = r.count(ctx, c)
	case "tcp":
		err = r.connect(ctx, c)
	case "exec":
		err = r.execute(ctx, c)
	default:
		return fmt.Errorf("the check %s checks nothing", c.Name)
	}
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s: %w", param.FormatDuration(c.Timeout), err)
	}
	return err
}

// expand replaces the variables of HAProxy's environment. An IPv6 address gets the brackets that it
// has in a URL and before a port.
func (r *Runner) expand(text string) (string, error) {
	var unknown []string
	expanded := os.Expand(text, func(name string) string {
		value := procfs.Lookup(r.Env, name)
		if value == "" && name != contract.SiteVariable { // which a node may be without
			unknown = append(unknown, name)
		}
		if strings.Contains(value, ":") {
			return "[" + value + "]"
		}
		return value
	})
	if len(unknown) > 0 {
		return "", fmt.Errorf("%s mentions %s, which HAProxy was not started with: restart the "+
			"resource", text, strings.Join(unknown, ", "))
	}
	return expanded, nil
}
