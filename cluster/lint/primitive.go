package lint

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
)

// primitive judges a resource that the plan makes or changes.
func (j *judge) primitive(ctx context.Context, id string) {
	now, ok := j.plan.New.Primitive(id)
	if !ok {
		return
	}
	before, had := j.plan.Base.Primitive(id)
	if had && agentOf(before) != agentOf(now) {
		had = false
	}
	j.address(now)
	if !j.exists(now, !had) {
		return
	}
	meta, ok := j.metadata(ctx, now)
	if !ok {
		return
	}
	var old []string
	if had {
		old = wrongParameters(before, meta)
	}
	for _, f := range wrongParameters(now, meta) {
		if !slices.Contains(old, f) {
			j.fault("%s", f)
		}
	}
	j.unique(now, meta)
}

// exists says whether the resource's agent is on this node, or may be. One that has been missing is
// no news.
func (j *judge) exists(p *crm.Primitive, news bool) bool {
	var path string
	switch {
	case p.Class == "ocf" && j.Agents != "":
		path = filepath.Join(j.Agents, p.Provider, p.Type)
	case p.Class == "stonith" && j.FenceAgents != "" && strings.HasPrefix(p.Type, "fence_"):
		path = filepath.Join(j.FenceAgents, p.Type)
	default:
		return true
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if !news {
		return false
	}
	agent, meant := agentOf(p), j.agentMeant(p)
	if meant != "" {
		meant = ": did you mean " + meant + "?"
	}
	if j.Live {
		j.fault("%s: there is no agent %s on this node (%s)%s", p.Name, agent, path, meant)
	} else {
		j.warn("there is no agent %s on this machine (%s)%s", agent, path, meant)
	}
	return false
}

// agentMeant is the agent whose name is near, first among those of the same provider.
func (j *judge) agentMeant(p *crm.Primitive) string {
	near := func(dir, prefix string) string {
		var names []string
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if slices.Contains(names, p.Type) {
			return prefix + p.Type // of another provider
		}
		if meant := nearest(p.Type, names); meant != "" {
			return prefix + meant
		}
		return ""
	}
	if p.Class == "stonith" {
		return near(j.FenceAgents, "stonith:")
	}
	if meant := near(filepath.Join(j.Agents, p.Provider), "ocf:"+p.Provider+":"); meant != "" {
		return meant
	}
	providers, _ := os.ReadDir(j.Agents)
	for _, dir := range providers {
		if meant := near(filepath.Join(j.Agents, dir.Name()), "ocf:"+dir.Name()+":"); meant != "" {
			return meant
		}
	}
	return ""
}

// agentOf is the agent of a resource, also of one that is made from a template.
func agentOf(p *crm.Primitive) string {
	return p.Class + ":" + strings.TrimPrefix(p.Provider+":"+p.Type, ":")
}

// metadataTime is how long an agent may take to print its meta-data.
const metadataTime = 15 * time.Second

// metadata asks an agent once. One that says nothing is not judged.
func (j *judge) metadata(ctx context.Context, p *crm.Primitive) (crm.Metadata, bool) {
	if j.Metadata == nil || p.Class != "ocf" && p.Class != "stonith" {
		return crm.Metadata{}, false
	}
	agent := agentOf(p)
	meta, ok := j.asked[agent]
	if !ok {
		asking, cancel := context.WithTimeout(ctx, metadataTime)
		var err error
		if meta, err = j.Metadata(asking, agent); err != nil && ctx.Err() == nil {
			j.warn("the parameters of %s were not checked: %v", agent, err)
		}
		cancel()
		j.asked[agent] = meta
	}
	return meta, len(meta.Parameters) > 0
}

// always are parameters that every agent may be given: for tracing it, for its check, and those that
// Pacemaker itself reads of a fencing device.
func always(p *crm.Primitive, name string) bool {
	if p.Class == "stonith" {
		return strings.HasPrefix(name, "pcmk_") ||
			slices.Contains([]string{"priority", "provides", "stonith-timeout"}, name)
	}
	return strings.HasPrefix(name, "trace_") || name == "OCF_CHECK_LEVEL" || name == "depth"
}

// wrongParameters lists parameters that the agent does not know, and those that it needs.
func wrongParameters(p *crm.Primitive, meta crm.Metadata) []string {
	var faults []string
	var known []string
	for _, m := range meta.Parameters {
		known = append(known, m.Name)
	}
	given, complete := p.ParamNames()
	agent := agentOf(p)
	for _, name := range given {
		if slices.Contains(known, name) || always(p, name) {
			continue
		}
		fault := p.Name + ": " + agent + " has no parameter " + name
		if meant := nearest(name, known); meant != "" {
			fault += ": did you mean " + meant + "?"
		}
		faults = append(faults, fault)
	}
	// Pacemaker gives a fencing device what it fences, and the device's parameters have older names
	// that may stand in for those that are needed.
	if !complete || p.Class == "stonith" {
		return faults
	}
	for _, m := range meta.Parameters {
		if m.Required && !m.Replaced && !m.HasDefault && !slices.Contains(given, m.Name) {
			faults = append(faults, p.Name+": "+agent+" needs the parameter "+m.Name)
		}
	}
	return faults
}

// unique judges the parameters that must not have the same values in two resources of one agent.
func (j *judge) unique(p *crm.Primitive, meta crm.Metadata) {
	groups := map[string][]string{}
	var order []string
	for _, m := range meta.Parameters {
		if _, set := p.Params.Get(m.Name); m.Group == "" || !set {
			continue
		}
		if groups[m.Group] == nil {
			order = append(order, m.Group)
		}
		groups[m.Group] = append(groups[m.Group], m.Name)
	}
	for _, o := range j.plan.New.Effective() {
		other, ok := o.(*crm.Primitive)
		if !ok || other.Name == p.Name || agentOf(other) != agentOf(p) || j.alike(p.Name, other.Name) {
			continue
		}
		for _, group := range order {
			if same(p, other, groups[group]) && j.first(p.Name, other.Name) {
				j.fault("%s: %s is the same as %s's, and no two resources of %s may share it", p.Name,
					strings.Join(groups[group], ", "), other.Name, p.Type)
			}
		}
	}
}

func same(a, b *crm.Primitive, names []string) bool {
	for _, name := range names {
		x, _ := a.Params.Get(name)
		if y, ok := b.Params.Get(name); !ok || x != y {
			return false
		}
	}
	return true
}

// alike says whether neither of the two resources' parameters are new, so that what they share they
// have shared before.
func (j *judge) alike(a, b string) bool {
	return j.unaltered(a) && j.unaltered(b)
}

func (j *judge) unaltered(id string) bool {
	now, _ := j.plan.New.Primitive(id)
	before, had := j.plan.Base.Primitive(id)
	return had && slices.Equal(now.Params, before.Params)
}

// address judges an address that another resource holds too, whatever agents the two have.
func (j *judge) address(p *crm.Primitive) {
	ip, ok := inventory.IPOf(p)
	if !ok {
		return
	}
	objects := j.plan.New.Effective()
	for _, other := range inventory.Holders(objects)[ip] {
		switch {
		case other.Name == p.Name || j.alike(p.Name, other.Name) || !j.first(p.Name, other.Name):
		case inventory.KeptStopped(objects, other.Name) || inventory.KeptStopped(objects, p.Name):
			j.warn("%s: the address %s is %s's too: one of the two is kept stopped, and started it "+
				"would put the address on two nodes", p.Name, ip, other.Name)
		default:
			j.fault("%s: the address %s is %s's already", p.Name, ip, other.Name)
		}
	}
}

// first says whether nothing has been said yet about the two resources.
func (j *judge) first(a, b string) bool {
	pair := [2]string{min(a, b), max(a, b)}
	said := j.pairs[pair]
	j.pairs[pair] = true
	return !said
}
