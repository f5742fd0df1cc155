// Package adopt takes a set-up that was made by hand, by crmsh, pcs or a tutorial, into hawser.yaml
// and into the tag hawser: the shell agents' and IPaddr2's as well as one of hawser's own agents.
//
// Read makes a hawser.yaml of what the cluster has, and says which objects become hawser's; deploy
// plans and writes that as it does any other change. It imports deploy, inventory, config, contract,
// crm and leaves of internal, and asks nobody. Open this file first; address.go and haproxy.go have
// what becomes of which resource, units.go, prefer.go and belong.go what becomes of groups and
// constraints, constraint.go which constraints hawser's own replace, import.go says how to take it over,
// file.go writes hawser.yaml.
package adopt

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/deploy"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Found is a set-up that was made by hand, as hawser would have it.
type Found struct {
	YAML []byte       // the hawser.yaml
	File *config.File // the same, read
	// Taken are the ids of the objects that become hawser's: it keeps, changes or replaces them.
	Taken []string
	// Exchanged says of each resource that is not kept what takes its place, and what that means.
	Exchanged []string
	// Becomes says of each object that another one takes the place of, or a key, what that is.
	Becomes []string
	// Remarks say what hawser.yaml cannot say and what is different then.
	Remarks []string
	// StopFirst are the resources that have to be stopped before the plan is written.
	StopFirst []string
	// Unit says that systemd's HAProxy is the cluster's own.
	Unit bool
	// Kept are the resources that go on as they are.
	Kept []string

	haproxy, clone string // the ids of HAProxy, and of its clone if there is one
	ties           []tie
}

// Read reads the set-up of the cluster. path is where hawser.yaml will be, for messages; tokenFile is
// where the agent is to read a token that is in the cluster's configuration now.
func Read(cib *crm.CIB, path, tokenFile string) (Found, error) {
	found, err := read(cib, path, tokenFile, true)
	var faults *config.Faults
	if !errors.As(err, &faults) {
		return found, err
	}
	// A name, or as many of them as hawser.yaml does not take.
	without, again := read(cib, path, tokenFile, false)
	if again != nil {
		return Found{}, err
	}
	without.Remarks = append(without.Remarks, fmt.Sprintf("what the cluster says of where addresses are, "+
		"and of what belongs to them, cannot be said in a hawser.yaml, and stays as it is: %s",
		faults.List[0].Message))
	return without, nil
}

func read(cib *crm.CIB, path, tokenFile string, places bool) (Found, error) {
	r := &reader{cib: cib, objects: cib.Effective(), file: &config.File{Path: path},
		tokenFile: tokenFile, replaced: map[string]bool{}, places: places}
	if err := r.read(); err != nil {
		return Found{}, err
	}
	r.found.YAML = append([]byte(header), r.file.YAML()...)
	file, err := config.ParseAs(path, r.found.YAML)
	if err != nil {
		return Found{}, fmt.Errorf("what the cluster has cannot be said in a hawser.yaml: %w", err)
	}
	r.found.File = file
	if err := r.take(); err != nil {
		return Found{}, err
	}
	return r.found, nil
}

const header = "# Written by `hawser adopt` from what the cluster had.\n"

// reader reads one set-up.
type reader struct {
	cib     *crm.CIB
	objects []crm.Object // as Pacemaker sees them, templates filled in
	file    *config.File
	found   Found

	tokenFile string // in place of a token in the configuration

	haproxy   *crm.Primitive
	family    []string // haproxy and what contains it
	tiedOnes  []string // the addresses that are tied to HAProxy
	addresses []*crm.Primitive
	units     []*unit
	replaced  map[string]bool // the ids of what has become something else
	places    bool            // where addresses are is taken over, too
}

// becomes says what an object has become: hawser makes its own in its place.
func (r *reader) becomes(o crm.Object, format string, args ...any) {
	r.replaced[o.ID()] = true
	r.found.Becomes = append(r.found.Becomes, crm.Title(o)+": "+fmt.Sprintf(format, args...))
}

func (r *reader) remark(format string, args ...any) {
	r.found.Remarks = append(r.found.Remarks, fmt.Sprintf(format, args...))
}

func (r *reader) read() error {
	all := inventory.Primitives(r.objects, inventory.RunsHAProxy)
	made := r.cib.Tagged(contract.TagID)
	switch {
	case len(all) == 0:
		return outcome.Usagef("the cluster's configuration has no HAProxy, so there is nothing to " +
			"adopt: `hawser init` drafts a hawser.yaml, and `hawser apply` sets one up")
	case len(all) > 1:
		return outcome.Usagef("the cluster has %s, and a hawser.yaml has one HAProxy: leave these to "+
			"whoever made them, or delete all but one; nothing was changed",
			strings.Join(inventory.Names(all), ", "))
	case slices.Contains(made, all[0].Name):
		return outcome.Usagef("hawser has made %s itself, as the tag %s says, so there is nothing to "+
			"adopt: what is new goes into the hawser.yaml from which it was made; nothing was changed",
			all[0].Name, contract.TagID)
	}
	r.haproxy = all[0]
	r.family = inventory.Family(r.objects, r.haproxy.Name)
	if err := r.readHAProxy(); err != nil {
		return err
	}
	r.findTied()
	for _, p := range inventory.Primitives(r.objects, inventory.IsAddress) {
		if err := r.readAddress(p); err != nil {
			return err
		}
	}
	if r.places {
		r.readUnits()
		r.readPreferences()
		r.readBelongings()
	}
	// Whether the cluster does without fencing is said there, and what fences is left as it is.
	if enabled, set := r.cib.Property(crm.StonithEnabled); set && crm.IsFalse(enabled) {
		r.file.Fencing.Way = config.FencingOff
	}
	return nil
}

// take says which objects become hawser's: those that hawser would make under their ids, and those
// in whose place it makes others.
func (r *reader) take() error {
	r.found.haproxy = r.haproxy.Name
	wanted := map[string]bool{}
	for _, o := range deploy.Objects(r.found.File, r.cib) {
		if _, option := o.(*crm.Property); !option {
			wanted[o.ID()] = true
		}
	}
	replaced := map[string]bool{r.haproxy.Name: true}
	for _, p := range r.addresses {
		replaced[p.Name] = true
	}
	for _, o := range r.cib.Objects() {
		if _, option := o.(*crm.Property); !option &&
			(wanted[o.ID()] || replaced[o.ID()] || r.replaced[o.ID()] || r.replaces(o)) {
			r.found.Taken = append(r.found.Taken, o.ID())
			r.tie(o)
		}
	}
	return r.checkOthers(wanted)
}
