package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

func TestParseShellTutorial(t *testing.T) {
	script, err := crm.ParseShell("tutorial", []byte(`
# the tutorial
primitive haproxy ocf:heartbeat:haproxy op monitor interval=15s
clone haproxy-clone haproxy
primitive FloatIP ocf:digitalocean:floatip \
  params do_token="a secret" floating_ip=203.0.113.10
colocation FloatIP-haproxy inf: FloatIP haproxy-clone
delete a b
`))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, script.Delete)
	require.Len(t, script.Objects, 4)
	require.Equal(t, `primitive haproxy ocf:heartbeat:haproxy \
	op monitor interval=15s
clone haproxy-clone haproxy
primitive FloatIP ocf:digitalocean:floatip \
	params do_token="a secret" floating_ip=203.0.113.10
colocation FloatIP-haproxy inf: FloatIP haproxy-clone
`, crm.FormatShell(script.Objects))
	require.Equal(t, "INFINITY", script.Objects[3].(*crm.Colocation).Score)
}

func TestParseWordsTakesWhatTheShellSeparated(t *testing.T) {
	script, err := crm.ParseWords([]string{"primitive", "p", "ocf:pacemaker:Dummy", "params", `state=/a "b" c`, "op", "monitor", "interval=10s"})
	require.NoError(t, err)
	p := script.Objects[0].(*crm.Primitive)
	require.Equal(t, crm.Attrs{{Name: "state", Value: `/a "b" c`}}, p.Params)
	require.Equal(t, "10s", p.Ops[0].Interval)
}

func TestParseShellErrors(t *testing.T) {
	for text, want := range map[string]string{
		"primitive":                                        "f:1: the statement ends where the id of the primitive was expected",
		"\n\nprimitive a":                                  "f:3: the statement ends where an agent",
		"primitive 1a Dummy":                               `f:1: "1a": expected the id of the primitive`,
		"primitive a ocf::x":                               `f:1: "ocf::x": expected an agent`,
		"primitive a Dummy op":                             "f:1: the statement ends where an operation, such as monitor was expected",
		"primitive a Dummy \\\n  params a \\\n":            `f:2: "a": expected NAME=VALUE`,
		"primitive a Dummy params a=1 a=2":                 `f:1: "a=2": expected each name once`,
		"primitive a Dummy params a='x":                    `f:1: "a=x": expected a closing '`,
		"frobnicate a":                                     `f:1: "frobnicate": expected one of acl_group, acl_target, alert, clone, colocation`,
		"clone c":                                          "f:1: the statement ends where the id of the primitive or group was expected",
		"colocation c a b":                                 `f:1: "a": expected a score and a colon`,
		"colocation c foo: a b":                            `f:1: "foo:": expected a score`,
		"colocation c inf: a":                              "f:1: the statement ends where two resources, or sets of them was expected",
		"colocation c inf: ( a b":                          "f:1: the statement ends where the bracket that closes the set was expected",
		"colocation c inf: a:Boss b":                       `f:1: "Boss": expected Started, Stopped`,
		"order o Sometimes: a b":                           `f:1: "Sometimes:": expected a kind and a colon: Mandatory, Optional or Serialize`,
		"location l a":                                     "f:1: the statement ends where a score and a node",
		"location l a rule 1: x frob y":                    `f:1: "frob": expected an operation: lt, gt`,
		"location l a 100: n extra":                        `f:1: "extra": expected the end of the location`,
		"property":                                         "f:1: the statement ends where NAME=VALUE was expected",
		"property x":                                       `f:1: "x": expected NAME=VALUE`,
		"delete":                                           "f:1: the statement ends where the id of an object was expected",
		"xml <primitive id='a'":                            "f:1: ",
		"xml <nonsense/>":                                  `f:1: "<nonsense>": expected an element that stands in a section`,
		"group g a b params x=1 frob":                      `f:1: "frob": expected NAME=VALUE`,
		"primitive a Dummy params $id=foo x=1":             `f:1: "$id=foo": expected NAME=VALUE; what others refer to`,
		"primitive a Dummy op monitor frob":                `f:1: "frob": expected NAME=VALUE`,
		"primitive a Dummy op interval=10s":                `f:1: "interval=10s": expected an operation, such as monitor, before its attributes`,
		"order o Mandatory: a:frob b":                      `f:1: "frob": expected start, promote`,
		"location l a rule 1: a eq 1 and b eq 2 or c eq 3": `f:1: "or": expected the same of`,
	} {
		_, err := crm.ParseShell("f", []byte(text))
		require.ErrorContains(t, err, want, text)
		var syntax *crm.SyntaxError
		require.ErrorAs(t, err, &syntax)
	}
}

// FuzzParseShell: whatever can be read can be printed, and what is printed reads back as the same.
func FuzzParseShell(f *testing.F) {
	f.Add(everything)
	f.Add(`primitive a ocf:x:y params a="b \" c\\" op monitor interval=1 role=Master OCF_CHECK_LEVEL=10 op_meta x=y`)
	f.Add("colocation c inf: [ a b sequential=true ] c:Promoted\norder o 0: ( a b ) [ c d ]")
	f.Add("location l { a b:Promoted ( c d ) } rule $role=Promoted $id=x rack: date in start=1 hours=3 or a lt number:3 or b gt meta{x}")
	f.Add(`xml <bundle id="b"><docker image="x"/></bundle>` + "\nxml <clone id='c'><primitive id='p' class='ocf' provider='x' type='y'/></clone>")
	f.Add("property x: rule a eq b c=d\nrsc_defaults a=b\nop_defaults $id=q rule date spec hours=1 x=y\ntag t: a b\nnode 1: n:remote attributes a=b utilization c=1")
	f.Add("primitive p ocf:x:y operations $id=o op monitor interval=1\nprimitive q ocf:x:y operations $id-ref=o\nms m p meta master-max=1\n" +
		"location l q rule $id=r 1: a eq b\nlocation k q rule $id-ref=r\nrsc_ticket t T: q:Promoted loss-policy=stop\nrsc_template z ocf:x:y meta a=b")
	f.Add("fencing_topology lb-1: a b pattern:lb.* c attr:x=y d,e\nrole r description=d read xpath:/cib ref:x write type:a attr:b\n" +
		"acl_target u r s\nacl_group g r\nalert a /b attributes c=d meta e=f select nodes attributes { x y } to { z meta g=h } to i")
	f.Fuzz(func(t *testing.T, text string) {
		script, err := crm.ParseShell("f", []byte(text))
		if err != nil {
			var syntax *crm.SyntaxError
			require.ErrorAs(t, err, &syntax)
			return
		}
		cib, err := crm.ParseCIB([]byte(`<cib><configuration/></cib>`))
		require.NoError(t, err)
		plan, err := crm.Diff(cib, crm.Spec{Objects: script.Objects, Tag: "made"})
		if err != nil {
			return // what a configuration cannot bear need not be printable
		}
		printed := crm.FormatShell(plan.New.Objects())
		again, err := crm.ParseShell("printed", []byte(printed))
		require.NoError(t, err, printed)
		spec, err := crm.Edit(plan.New, again.Objects, nil)
		require.NoError(t, err)
		second, err := crm.Diff(plan.New, spec)
		require.NoError(t, err, printed)
		for _, c := range second.Changes {
			t.Errorf("%s %s: %+v\n%s", c.Object().Keyword(), c.Object().ID(), c.Fields(), printed)
		}
	})
}
