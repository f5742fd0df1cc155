package crm

import (
	"context"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// Cleanup has Pacemaker forget what has failed, as crm_resource(8) does: of the resource, which may
// be a clone or group, or of all if that is "", on the node or on all. Pacemaker then looks again at
// what runs there.
func (t *Tools) Cleanup(ctx context.Context, resource, node string) error {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	args := []string{"--cleanup"}
	if resource != "" {
		args = append(args, "--resource", resource)
	}
	if node != "" {
		args = append(args, "--node", node)
	}
	out, err := t.run(ctx, nil, "crm_resource", args...)
	if err != nil {
		return err
	}
	if out.code != 0 {
		return t.toolError("crm_resource", "have Pacemaker forget the failures", out)
	}
	return nil
}

// Forgiven returns the configuration and status without the failures of the resources on the node,
// "" for all nodes and no resources for all of them, and how many there were: failed actions and
// counts of failures. A simulation of it shows what Pacemaker would do after a cleanup. Without any
// it is the same CIB.
func (c *CIB) Forgiven(resources []string, node string) (*CIB, int) {
	doc := etree.NewDocument()
	doc.ReadSettings.MaxDepth = maxDepth
	if c.status == nil || doc.ReadFromBytes(c.status) != nil || doc.Root() == nil {
		return c, 0
	}
	f := forgiver{resources: resources}
	for _, state := range doc.Root().SelectElements("node_state") {
		if node == "" || value(state, "uname") == node {
			f.forgive(state)
		}
	}
	if f.count == 0 {
		return c, 0
	}
	status, err := elementText(doc.Root())
	if err != nil {
		return c, 0
	}
	return &CIB{Version: c.Version, root: c.root, text: c.text, status: status}, f.count
}

func elementText(el *etree.Element) ([]byte, error) {
	doc := etree.NewDocumentWithRoot(el.Copy())
	return doc.WriteToBytes()
}

// forgiver removes failures from a node's state, and counts them.
type forgiver struct {
	resources []string // nil: all
	count     int
}

func (f *forgiver) means(resource string) bool {
	return len(f.resources) == 0 || slices.Contains(f.resources, ResourceOf(resource))
}

func (f *forgiver) forgive(state *etree.Element) {
	for _, nv := range state.FindElements("./transient_attributes/instance_attributes/nvpair") {
		name, counted := strings.CutPrefix(value(nv, "name"), "fail-count-")
		if !counted {
			name, counted = strings.CutPrefix(value(nv, "name"), "last-failure-")
		}
		name, _, _ = strings.Cut(name, "#")
		if counted && f.means(name) {
			nv.Parent().RemoveChild(nv)
			f.count++
		}
	}
	for _, history := range state.FindElements("./lrm/lrm_resources/lrm_resource") {
		if !f.means(value(history, "id")) {
			continue
		}
		for _, op := range history.SelectElements("lrm_rsc_op") {
			if failedOp(op) {
				history.RemoveChild(op)
				f.count++
			}
		}
	}
}

// failedOp says whether the record is that of a failure: an action that went wrong, or what
// Pacemaker keeps of one ("…_last_failure_0"), which may have found a resource running.
func failedOp(op *etree.Element) bool {
	return strings.HasSuffix(value(op, "id"), "_last_failure_0") || !slices.Contains(
		[]string{"0", "7", "8", "190", "191", "193"}, value(op, "rc-code"))
}
