package checks

import (
	"cmp"
	"errors"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/param"
)

// shortestSecret is how long a value is at least that is concealed: a shorter one is in every other
// word.
const shortestSecret = 4

// conceal puts the names of variables in the place of their values, which a unit's EnvironmentFile
// may keep secret. This node's name, site and addresses are no secret.
func (r *Runner) conceal(err error, c *param.Check) error {
	if err == nil {
		return nil
	}
	type hidden struct{ text, name string }
	var all []hidden
	os.Expand(strings.Join([]string{c.URL, c.Host, c.SNI, c.TCP}, " "), func(name string) string {
		value := procfs.Lookup(r.Env, name)
		if len(value) < shortestSecret || name == contract.NodeVariable || name == contract.SiteVariable ||
			name == contract.AnchorIPVariable || name == contract.PrivateIPVariable {
			return ""
		}
		for _, text := range []string{value, url.QueryEscape(value), url.PathEscape(value)} {
			all = append(all, hidden{text, "${" + name + "}"})
		}
		return ""
	})
	if len(all) == 0 {
		return err
	}
	slices.SortFunc(all, func(a, b hidden) int { return cmp.Compare(len(b.text), len(a.text)) })
	var pairs []string
	for _, h := range all {
		pairs = append(pairs, h.text, h.name)
	}
	text := err.Error()
	if open := strings.NewReplacer(pairs...).Replace(text); open != text {
		return errors.New(open)
	}
	return err
}
