package pacemaker

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/param"
)

// checkPreferences checks that HAProxy's checks are done, and that they move the addresses.
func checkPreferences(v *view) []doctor.Finding {
	var found []doctor.Finding
	for _, h := range v.haproxies() {
		names := checksOf(h)
		if len(names) == 0 || !inventory.IsHAProxy(h.Agent()) {
			continue
		}
		if f, ok := undone(h); ok {
			found = append(found, f)
		}
		for _, a := range v.addresses() {
			if !slices.Contains(inventory.Family(v.objects, h.Name), v.placedWith(a.Name)) {
				continue
			}
			found = append(found, v.preferences(h, a, names)...)
		}
	}
	return found
}

// checksOf returns the names of the checks that the parameters of a HAProxy ask for.
func checksOf(h *crm.Primitive) []string {
	var names []string
	text, _ := h.Params.Get(contract.ParamChecks)
	if checks, err := param.ParseChecks(text); err == nil {
		for _, c := range checks {
			names = append(names, c.Name)
		}
	}
	if _, ok := h.Params.Get(contract.ParamCheckURL); ok {
		names = append(names, contract.CheckURLName)
	}
	if n, ok := h.Params.Get(contract.ParamMinServers); ok && n != "0" {
		names = append(names, contract.MinServersName)
	}
	return names
}

// undone finds that nobody does the checks: without a keeper, only a monitor of OCF_CHECK_LEVEL 10
// does.
func undone(h *crm.Primitive) (doctor.Finding, bool) {
	if value, ok := h.Params.Get(contract.ParamKeeper); !ok || !crm.IsFalse(value) {
		return doctor.Finding{}, false
	}
	for _, op := range h.Ops {
		level, _ := op.Params.Get("OCF_CHECK_LEVEL")
		n, _ := strconv.Atoi(level)
		if op.Name == "monitor" && n >= contract.LevelDeep && positive(op.Interval) && !disabled(op) {
			return doctor.Finding{}, false
		}
	}
	return doctor.Finding{
		Severity: doctor.Warning, Subject: h.Name,
		What: h.Name + " has checks, and nobody does them: it has neither a keeper nor a monitor of " +
			"OCF_CHECK_LEVEL 10",
		Why: "an address stays on a node from which nothing can be reached",
		Fix: []string{"crm_resource --resource " + doctor.Quote(h.Name) +
			" --set-parameter keeper --parameter-value true"},
	}, true
}

// placedWith returns what the colocation with INFINITY keeps the address with, "" if none does.
func (v *view) placedWith(address string) string {
	if p := v.pairing(address); p.right != nil {
		return p.right.With
	}
	return ""
}

// ruleScore is the score of a rule in crmsh's grammar.
var ruleScore = regexp.MustCompile(`rule (?:\S+ )*?(-?\+?(?:inf|INFINITY|[0-9]+)):`)

// preferences finds the checks of a HAProxy for which no constraint moves the address.
func (v *view) preferences(h, a *crm.Primitive, names []string) []doctor.Finding {
	id := contract.ResourceOf(h.Name)
	var missing []string
	var fix []crm.Object
	for _, name := range names {
		attribute := contract.CheckAttribute(id, name)
		rule := v.ruleOn(a.Name, attribute)
		if rule == nil {
			missing = append(missing, name)
			fix = append(fix, crm.PreferUnless(contract.CheckedID(a.Name, name), a.Name, attribute,
				contract.CheckFailed, contract.CheckedScore))
			continue
		}
		if f, ok := v.tooWeak(a, rule); ok {
			return []doctor.Finding{f}
		}
	}
	ours := v.tagged(a.Name)
	if _, written := h.Params.Get(contract.ParamChecks); len(missing) == 0 || ours && written {
		return nil // the file says which checks the address needs (needs)
	}
	f := doctor.Finding{
		Severity: doctor.Note, Subject: a.Name,
		What: fmt.Sprintf("no location rule of %s compares the result of the check %s", a.Name,
			strings.Join(missing, ", ")),
		Why: "when it fails here and holds elsewhere, the address does not move",
		Fix: []string{doctor.Define(fix...)},
	}
	if ours { // an older version wrote it
		f.Fix = []string{"hawser apply"}
	}
	return []doctor.Finding{f}
}

// tagged reports whether hawser wrote the object.
func (v *view) tagged(id string) bool {
	o, _ := v.cib.Object(contract.TagID)
	tag, ok := o.(*crm.Tag)
	return ok && slices.Contains(tag.Refs, id)
}

// ruleOn returns a location constraint of the address that compares the attribute.
func (v *view) ruleOn(address, attribute string) *crm.Location {
	for _, o := range v.objects {
		l, ok := o.(*crm.Location)
		if ok && slices.Contains(inventory.Family(v.objects, address), l.Resource) &&
			slices.Contains(strings.Fields(l.String()), attribute) {
			return l
		}
	}
	return nil
}

// tooWeak finds that a rule's score does not outweigh the stickiness of the address.
func (v *view) tooWeak(a *crm.Primitive, l *crm.Location) (doctor.Finding, bool) {
	text, _ := v.meta(a.Name, "resource-stickiness")
	sticky, err := strconv.Atoi(text)
	if isInfinite(text) {
		sticky, err = crm.Infinity, nil
	}
	found := ruleScore.FindStringSubmatch(l.String())
	if err != nil || found == nil || isInfinite(found[1]) {
		return doctor.Finding{}, false
	}
	score, err := strconv.Atoi(found[1])
	if err != nil || score < 0 || score > sticky {
		return doctor.Finding{}, false
	}
	return doctor.Finding{
		Severity: doctor.Note, Subject: a.Name,
		What: fmt.Sprintf("the rule of %s is worth %d, and %s sticks to its node with %s", l.Name,
			score, a.Name, text),
		Why: "a check that fails does not move the address",
		Fix: []string{setMeta(a.Name, "resource-stickiness", strconv.Itoa(max(0, score-1)))},
	}, true
}
