package crm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

func parse(t testing.TB, text []byte) *crm.CIB {
	t.Helper()
	cib, err := crm.ParseCIB(text)
	require.NoError(t, err)
	return cib
}

// with is the seed with objects set.
func with(t testing.TB, objects ...crm.Object) *crm.CIB {
	t.Helper()
	cib := parse(t, crmtest.Seed("lb-1", "lb-2"))
	spec, err := crm.Edit(cib, objects, nil)
	require.NoError(t, err)
	plan, err := crm.Diff(cib, spec)
	require.NoError(t, err)
	return plan.New
}

func shell(t testing.TB, text string) []crm.Object {
	t.Helper()
	s, err := crm.ParseShell("", []byte(text))
	require.NoError(t, err)
	return s.Objects
}

func TestDiffReportsEveryInvalidObjectAtOnce(t *testing.T) {
	cib := with(t, shell(t, "primitive taken ocf:pacemaker:Dummy")...)
	_, err := crm.Diff(cib, crm.Spec{Tag: "hawser", Objects: []crm.Object{
		&crm.Primitive{Name: "1st", Class: "ocf", Provider: "p", Type: "t"},
		&crm.Primitive{Name: "a", Class: "ocf", Type: "t"},
		&crm.Primitive{Name: "b", Class: "systemd", Type: "t", Params: crm.Attrs{{Name: "x", Value: "bell\a"}, {Name: "y", Value: "\xff"}, {Name: "z", Value: "two\nlines"}, {Name: "u", Value: "é&"}}},
		&crm.Primitive{Name: "c", Class: "systemd", Type: "t", Ops: []crm.Op{{Name: "monitor", Interval: "10s"}, {Name: "monitor", Interval: "10"}, {Name: "start", Interval: "soon"}}},
		&crm.Clone{Name: "a", Resource: "b"},
		&crm.Colocation{Name: "col", Score: "lots", Resource: "a", With: "a"},
		&crm.Order{Name: "ord", Kind: "Sometimes", First: "a", Then: "b"},
		&crm.Location{Name: "loc", Resource: "a"},
		&crm.Clone{Name: "taken", Resource: "b"},
		&crm.Property{Name: "", Value: "x"},
		&crm.Tag{Name: "hawser", Refs: []string{"a"}},
	}})
	var invalid *crm.InvalidError
	require.ErrorAs(t, err, &invalid)
	for _, want := range []string{
		`primitive 1st: id "1st": is not an id`,
		`primitive a: agent "ocf:t": an agent of the class ocf needs a provider`,
		`primitive b: params x "bell\a": holds the control character U+0007`,
		`primitive b: params y "\xff": is not valid UTF-8`,
		`primitive b: params z "two\nlines": holds a line break`,
		`primitive b: params u "é&": holds '&' after a character beyond ASCII`,
		`primitive c: op monitor 10s: there is another monitor with the same interval`,
		`primitive c: op start soon interval "soon": is not a time`,
		`clone a: id "a": is also the id of a primitive`,
		`colocation col: score "lots": is not a score`,
		`colocation col: with "a": is the same resource twice`,
		`order ord: kind "Sometimes": must be Mandatory, Optional or Serialize`,
		`location loc: node: a node with a score, or a rule, is expected`,
		`clone taken: id "taken": is the id of a primitive in the cluster's configuration`,
		`property : name: a name is required`,
		`tag hawser: id "hawser": is reserved for the tag`,
	} {
		require.Contains(t, err.Error(), want)
	}
}

func TestDiffReportsBrokenReferences(t *testing.T) {
	cib := with(t, shell(t, "primitive p ocf:pacemaker:Dummy\nprimitive q ocf:pacemaker:Dummy\nlocation l p 100: lb-1\ngroup g q")...)
	_, err := crm.Diff(cib, crm.Spec{Objects: shell(t, "colocation c inf: p nobody\nclone c1 q\nclone c2 g\nclone c3 c2")})
	require.ErrorContains(t, err, `colocation c: with "nobody": names a resource that does not exist`)
	require.ErrorContains(t, err, `"q": is already in the`)
	require.ErrorContains(t, err, `clone c3: resource "c2": is a clone; a clone takes a primitive or group`)

	spec, err := crm.Edit(cib, nil, []string{"p"})
	require.NoError(t, err)
	_, err = crm.Diff(cib, spec)
	require.ErrorContains(t, err, `location l: resource "p": is needed here, but would be deleted`)

	_, err = crm.Edit(cib, nil, []string{"nobody"})
	require.ErrorContains(t, err, `"nobody" cannot be deleted: the configuration has no such object`)
}

func TestDiffTouchesNothingOfOthers(t *testing.T) {
	cib := with(t, shell(t, "primitive FloatIP ocf:pacemaker:Dummy params state=1")...)
	_, err := crm.Diff(cib, crm.Spec{Tag: "hawser", Objects: shell(t, "primitive FloatIP ocf:pacemaker:Dummy params state=2")})
	require.ErrorContains(t, err, `primitive FloatIP: exists already, is not what is wanted, and was made by someone else (params state is "1" instead of "2")`)

	cib = with(t, shell(t, "primitive FloatIP ocf:digitalocean:floatip params a=1 b=2 c=3 d=4 do_token=dop_v1_123")...)
	_, err = crm.Diff(cib, crm.Spec{Tag: "hawser", Objects: shell(t, "primitive FloatIP ocf:digitalocean:floatip params do_token=other")})
	require.ErrorContains(t, err, "(params do_token differs, params a is ")
	require.ErrorContains(t, err, ", params c is \"3\" instead of \"\", params d is \"4\" instead of \"\"")
	require.NotContains(t, err.Error(), "dop_v1", "a secret is not shown")
	_, err = crm.Diff(cib, crm.Spec{Tag: "hawser", Objects: shell(t, "primitive FloatIP ocf:digitalocean:floatip meta x=1 y=2")})
	require.ErrorContains(t, err, ", and 3 more): rename one of the two; or have hawser take over "+
		"the set-up with HAProxy that it is a part of (`hawser adopt`)")
	require.NotContains(t, err.Error(), "dop_v1")

	cib = with(t, shell(t, "primitive FloatIP ocf:pacemaker:Dummy params state=1")...)
	// the same object made by someone else is used and stays theirs
	plan, err := crm.Diff(cib, crm.Spec{Tag: "hawser", Objects: shell(t, "primitive FloatIP ocf:pacemaker:Dummy params state=1\nprimitive mine ocf:pacemaker:Dummy")})
	require.NoError(t, err)
	require.Equal(t, []string{"mine"}, plan.New.Tagged("hawser"))
	plan, err = crm.Diff(plan.New, crm.Spec{Tag: "hawser"})
	require.NoError(t, err)
	_, still := plan.New.Object("FloatIP")
	require.True(t, still)
}

// What a spec with a tag owns is recorded in it, also if somebody else made it and nothing of it changes.
func TestDiffTakesOver(t *testing.T) {
	cib := with(t, shell(t, "primitive FloatIP ocf:pacemaker:Dummy params state=1\nprimitive other ocf:pacemaker:Dummy")...)
	spec := crm.Spec{Tag: "hawser", Objects: shell(t, "primitive FloatIP ocf:pacemaker:Dummy params state=1"),
		Owned: func(id string) bool { return id == "FloatIP" }}
	plan, err := crm.Diff(cib, spec)
	require.NoError(t, err)
	require.Len(t, plan.Changes, 1, "only the tag")
	require.Equal(t, []string{"FloatIP"}, plan.New.Tagged("hawser"))
	plan, err = crm.Diff(plan.New, crm.Spec{Tag: "hawser", Objects: spec.Objects})
	require.NoError(t, err)
	require.True(t, plan.Empty())
	_, still := plan.New.Object("other")
	require.True(t, still)
}

func TestDiffKeepsWhatItDoesNotModel(t *testing.T) {
	const resources = `<resources><primitive id="p" class="ocf" provider="x" type="y">
	  <instance_attributes id="odd"><rule id="r" score="INFINITY"><expression id="e" attribute="a" operation="defined"/></rule><nvpair id="n1" name="a" value="1"/></instance_attributes>
	  <instance_attributes id="strange-id"><nvpair id="stranger" name="b" value="2"/><nvpair id="gone" name="c" value="3"/></instance_attributes>
	  <operations><op id="op-id" name="monitor" interval="10"/></operations></primitive></resources><something/>`
	cib := parse(t, []byte(`<cib epoch="1"><configuration>`+resources+`</configuration></cib>`))
	spec, err := crm.Edit(cib, []crm.Object{&crm.Primitive{
		Name: "p", Class: "ocf", Provider: "x", Type: "y",
		Params: crm.Attrs{{Name: "b", Value: "4"}, {Name: "d", Value: "5"}}, Ops: []crm.Op{{Name: "monitor", Interval: "10s", Attrs: crm.Attrs{{Name: "timeout", Value: "9s"}}}},
	}}, nil)
	require.NoError(t, err)
	plan, err := crm.Diff(cib, spec)
	require.NoError(t, err)
	xml := string(plan.New.XML())
	for _, want := range []string{
		`<rule id="r" score="INFINITY">`, `<nvpair id="n1" name="a" value="1"/>`, `<nvpair id="stranger" name="b" value="4"/>`,
		`<nvpair id="strange-id-d" name="d" value="5"/>`, `<op id="op-id" name="monitor" interval="10" timeout="9s"/>`, `<something/>`,
	} {
		require.Contains(t, xml, want)
	}
	require.NotContains(t, xml, "gone")
	require.Equal(t, []crm.FieldChange{
		{Name: "params b", Old: "2", New: "4"}, {Name: "params d", New: "5"}, {Name: "op monitor 10s timeout", New: "9s"}, {Name: "params c", Old: "3"},
	}, plan.Changes[0].Fields())
	require.Contains(t, string(cib.XML()), "gone", "the base is left as it was")
}

func TestDiffMovesResources(t *testing.T) {
	cib := with(t, shell(t, "primitive a ocf:pacemaker:Dummy\nprimitive b ocf:pacemaker:Dummy\nprimitive c ocf:pacemaker:Dummy\ngroup g a b")...)
	change := func(set string, del ...string) *crm.CIB {
		spec, err := crm.Edit(cib, shell(t, set), del)
		require.NoError(t, err)
		plan, err := crm.Diff(cib, spec)
		require.NoError(t, err)
		return plan.New
	}
	cib = change("group g c a")
	require.Contains(t, crm.FormatShell(cib.Objects()), "group g c a\n")
	_, b := cib.Object("b")
	require.True(t, b, "what leaves a group stays")
	cib = change("clone cl g meta interleave=true")
	require.Contains(t, crm.FormatShell(cib.Objects()), "clone cl g")
	cib = change("", "cl")
	require.Contains(t, crm.FormatShell(cib.Objects()), "group g c a\n", "what is in a clone outlives it")
	cib = change("", "g", "a", "c")
	require.Equal(t, 1, strings.Count(crm.FormatShell(cib.Objects()), "primitive"))
}

func TestIDsAreCrmshs(t *testing.T) {
	xml := string(with(t, shell(t, `primitive haproxy ocf:x:y params conffile=/c op monitor interval=15s op_params OCF_CHECK_LEVEL=10 op start timeout=60s meta target-role=Started
clone haproxy-clone haproxy meta interleave=true
location l haproxy rule 100: #uname eq lb-1 and defined foo
colocation c2 inf: ( haproxy haproxy-clone )
property stonith-enabled=false
rsc_defaults resource-stickiness=1
op_defaults timeout=9s`)...).XML())
	for _, want := range []string{
		"haproxy-instance_attributes", "haproxy-instance_attributes-conffile", "haproxy-monitor-15s", "haproxy-monitor-15s-instance_attributes",
		"haproxy-monitor-15s-instance_attributes-OCF_CHECK_LEVEL", "haproxy-meta_attributes-target-role", "haproxy-clone-meta_attributes-interleave",
		"cib-bootstrap-options-stonith-enabled", "rsc-options-resource-stickiness", "op-options-timeout", "l-rule", "l-rule-expression", "l-rule-expression-0",
		"c2-0",
	} {
		require.Contains(t, xml, `id="`+want+`"`)
	}
}

func TestDiffForgetsOptionsThatAreGone(t *testing.T) {
	spec := crm.Spec{Tag: "hawser", Objects: shell(t, "property stonith-enabled=false")}
	cib := with(t, shell(t, "property stonith-enabled=true")...)
	plan, err := crm.Diff(cib, spec)
	require.NoError(t, err)
	require.Contains(t, crm.FormatShell(plan.New.Objects()), "property hawser-before: \\\n\tcib-bootstrap-options-stonith-enabled=true")

	// someone deletes the option: nothing comes back, and nothing is left behind
	gone, err := crm.Edit(plan.New, nil, []string{"cib-bootstrap-options-stonith-enabled"})
	require.NoError(t, err)
	plan, err = crm.Diff(plan.New, gone)
	require.NoError(t, err)
	plan, err = crm.Diff(plan.New, crm.Spec{Tag: "hawser"})
	require.NoError(t, err)
	require.NotContains(t, crm.FormatShell(plan.New.Objects()), "property")
	require.Nil(t, plan.New.Tagged("hawser"))
}

// A note goes with the changes, and is none.
func TestNote(t *testing.T) {
	spec := func(note string, objects ...string) crm.Spec {
		return crm.Spec{Tag: "hawser", Objects: shell(t, strings.Join(objects, "\n")),
			Note: &crm.Property{Set: "notes", Name: "last", Value: note}}
	}
	const a, b = "primitive a ocf:x:y", "primitive b ocf:x:y"
	first, err := crm.Diff(with(t), spec("one", a))
	require.NoError(t, err)
	require.Len(t, first.Changes, 2, "the resource and the tag")
	require.Contains(t, crm.FormatShell(first.New.Objects()), "property notes: \\\n\tlast=one")
	require.Equal(t, []string{"a"}, first.New.Tagged("hawser"))

	nothing, err := crm.Diff(first.New, spec("two", a))
	require.NoError(t, err)
	require.True(t, nothing.Empty())
	require.Equal(t, first.New.XML(), nothing.New.XML(), "a note alone is not written")

	older, err := crm.Diff(first.New, crm.Spec{Tag: "hawser", Objects: shell(t, a+"\n"+b)})
	require.NoError(t, err)
	require.Contains(t, crm.FormatShell(older.New.Objects()), "last=one", "who knows of none leaves it alone")

	second, err := crm.Diff(first.New, spec("two", a, b))
	require.NoError(t, err)
	require.True(t, second.Same(older))
	require.Contains(t, crm.FormatShell(second.New.Objects()), "property notes: \\\n\tlast=two")

	removed, err := crm.Diff(second.New, spec(""))
	require.NoError(t, err)
	require.NotContains(t, string(removed.New.XML()), "notes")

	// Somebody else's ids stay his.
	theirs := with(t, shell(t, "primitive notes ocf:x:y")...)
	beside, err := crm.Diff(theirs, spec("one", a))
	require.NoError(t, err)
	require.NotContains(t, string(beside.New.XML()), `name="last"`)
}

func TestLastEdit(t *testing.T) {
	for text, want := range map[string]string{
		`cib-last-written="Mon Nov 30 21:33:05 2026" update-origin="lb-2" update-client="cibadmin" update-user="root"`: "by root via cibadmin on lb-2, 21:33:05",
		`cib-last-written="Tue Dec  1 01:02:03 2026" update-client="crmd"`:                                             "via crmd, 01:02:03",
		`cib-last-written="yesterday" update-origin="lb-2"`:                                                            "on lb-2",
		`cib-last-written="Mon Nov 30 21:33:05 2026"`:                                                                  "",
		``: "",
	} {
		cib := parse(t, []byte(`<cib `+text+`><configuration/></cib>`))
		require.Equal(t, want, cib.LastEdit())
	}
}

func TestPropertyInEffect(t *testing.T) {
	cib := parse(t, []byte(`<cib><configuration><crm_config>
	  <cluster_property_set id="other" score="5"><nvpair id="a" name="x" value="other"/><nvpair id="b" name="y" value="other"/></cluster_property_set>
	  <cluster_property_set id="cib-bootstrap-options"><nvpair id="c" name="x" value="bootstrap"/></cluster_property_set>
	</crm_config></configuration></cib>`))
	for name, want := range map[string]string{"x": "bootstrap", "y": "other"} {
		got, ok := cib.Property(name)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	_, ok := cib.Property("z")
	require.False(t, ok)
}

func TestParseCIBErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "not a CIB",
		"<cib":                                  "not well-formed",
		"<html/>":                               "root element must be <cib>",
		"<cib/>":                                "no <configuration>",
		`<cib epoch="x"><configuration/></cib>`: `epoch is "x"`,
		strings.Repeat("<a>", 100):              "not well-formed",
	} {
		_, err := crm.ParseCIB([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
}

// FuzzParseCIB: what can be read can be listed, printed and planned from; a plan for what is there is empty.
func FuzzParseCIB(f *testing.F) {
	f.Add(crmtest.Seed("a", "b"))
	f.Add(with(f, shell(f, everything)...).XML())
	f.Add([]byte(`<cib><configuration><resources><clone id="c"/><group/><primitive><operations><op/></operations></primitive><bundle/></resources><crm_config><cluster_property_set/></crm_config><tags><tag/></tags></configuration></cib>`))
	f.Fuzz(func(t *testing.T, text []byte) {
		cib, err := crm.ParseCIB(text)
		if err != nil {
			return
		}
		objects := cib.Objects()
		_ = crm.FormatShell(objects)
		again, err := crm.ParseCIB(cib.XML())
		require.NoError(t, err)
		require.Equal(t, crm.FormatShell(objects), crm.FormatShell(again.Objects()))
		spec, err := crm.Edit(cib, objects, nil)
		require.NoError(t, err)
		plan, err := crm.Diff(cib, spec)
		if err == nil {
			require.Empty(t, plan.Changes)
		}
		seen := map[string]bool{}
		for _, o := range objects {
			if id := o.ID(); id == "" || seen[id] {
				return // Pacemaker's schema keeps such a thing out
			}
			seen[o.ID()] = true
		}
		if plan, err = crm.Diff(cib, crm.Spec{Owned: func(string) bool { return true }}); err == nil {
			require.Empty(t, plan.New.Objects())
		}
	})
}
