package rollout

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func TestCredentials(t *testing.T) {
	for text, want := range map[string]string{
		"userlist u\n\tuser admin insecure-password hunter2\n": "a user's password",
		"userlist u\n\tuser admin password $5$abc groups g\n":  "a user's password",
		"listen s\n\tstats auth admin:hunter2\n": "the password of " +
			"the statistics page",
		"userlist u\n\tuser admin insecure-password \"${PASSWORD}\"\n":      "",
		"# stats auth admin:hunter2\nfrontend f\n\tstats uri /auth\n":       "",
		"backend b\n\thttp-request auth realm password if { path /p }\n":    "",
		"backend b\n\tserver password 192.0.2.1:80 check # user password\n": "",

		"listen s\n\tstats auth \"${PREFIX}admin:hunter2\"\n":                                                   "the password of the statistics page",
		"listen s\n\tstats auth \"admin:${PASSWORD}\"\n":                                                        "",
		"listen s\n\tstats auth \"${BOTH}\"\n":                                                                  "",
		"listen s\n\tstats auth \"admin:${PASSWORD-hunter2}\"\n":                                                "the password of the statistics page",
		"userlist u\n\tuser a groups g insecure-password \"${P}literal\"\n":                                     "a user's password",
		"global\n\tsetenv API_KEY abc\n":                                                                        "a secret in the variable API_KEY",
		"global\n\tpresetenv DB_PASSWORD abc\n":                                                                 "a secret in the variable DB_PASSWORD",
		"global\n\tsetenv REGION fra1\n":                                                                        "",
		"global\n\tsetenv TOKEN \"${TOKEN}\"\n":                                                                 "",
		"frontend f\n\tbind :443 ssl ca-sign-file /x.pem ca-sign-pass abc\n":                                    "the pass phrase of a key",
		"frontend f\n\thttp-request set-header Authorization \"Bearer abc\"\n":                                  "a secret in Authorization",
		"frontend f\n\thttp-request set-header Authorization \"Basic ${CRED}\"\n":                               "",
		"frontend f\n\thttp-request add-header X-Api-Key abc if { path /x }\n":                                  "a secret in X-Api-Key",
		"frontend f\n\thttp-request set-header X-Token %[req.hdr(x-t)]\n":                                       "",
		"frontend f\n\thttp-request set-header X-Orig %[req.hdr(authorization)] if { path /x }\n":               "",
		"frontend f\n\thttp-request set-header X-Forwarded-Proto https\n":                                       "",
		"frontend f\n\thttp-request set-var(proc.api_key) str(abc)\n":                                           "a secret in proc.api_key",
		"frontend f\n\thttp-request set-var(txn.token) req.hdr(authorization)\n":                                "",
		"backend b\n\thttp-check send meth GET uri / hdr Authorization \"Basic YTpi\"\n":                        "a secret in Authorization",
		"backend b\n\thttp-check send uri /health?token=abc\n":                                                  "a secret in token",
		"backend b\n\thttp-check send meth POST body \"user=a&password=b\"\n":                                   "a secret in password",
		"backend b\n\ttcp-check send AUTH\\ hunter2\\r\\n\n":                                                    "the password of a health check",
		"backend b\n\ttcp-check send \"AUTH ${PW}\\r\\n\"\n":                                                    "",
		"backend b\n\ttcp-check send \"AUTH default ${PW}\\r\\n\"\n":                                            "",
		"backend b\n\ttcp-check send-binary 4155544820610d0a\n":                                                 "the password of a health check",
		"backend b\n\ttcp-check send PING\\r\\n\n":                                                              "",
		"frontend f\n\tacl ok req.hdr(X-Api-Key) -m str abc\n":                                                  "what X-Api-Key has to be",
		"frontend f\n\tacl ok req.hdr(X-Api-Key) -f /etc/haproxy/keys\n":                                        "",
		"frontend f\n\tacl ok req.hdr(authorization) -m beg Bearer\n":                                           "",
		"frontend f\n\thttp-request deny unless { req.hdr(x-api-key) -m str abc } or x\n":                       "what x-api-key has to be",
		"frontend f\n\thttp-request deny unless { req.hdr(x-api-key) -m found } or x\n":                         "",
		"frontend f\n\thttp-request deny unless { http_auth_bearer,jwt_verify(txn.alg,\"secret\") -m int 1 }\n": "the key of jwt_verify",
		"frontend f\n\thttp-request deny unless { http_auth_bearer,jwt_verify(txn.alg,\"/k.pem\") -m int 1 }\n": "",
		"frontend f\n\thttp-request set-header X-Sig %[path,hmac(sha256,c2VjcmV0),hex]\n":                       "the key of hmac",
		"frontend f\n\thttp-request set-header X-Sig %[path,hmac(sha256,txn.k),hex]\n":                          "",
		"program p\n\tcommand /usr/bin/x --password hunter2\n":                                                  "a secret in --password",
		"program p\n\tcommand /usr/bin/x --token=abc\n":                                                         "a secret in --token",
		"program p\n\tcommand \"/usr/bin/x --api-key ${KEY}\"\n":                                                "",
		"program p\n\tcommand /usr/bin/x --password-file /etc/x\n":                                              "",
		"program p\n\tcommand /usr/bin/dataplaneapi http://admin:hunter2@127.0.0.1/\n":                          "a password in a URL",
		"backend b\n\tcookie S insert dynamic\n\tdynamic-cookie-key abc\n":                                      "the key of dynamic-cookie-key",
		"frontend f\n\thttp-request return string dop_v1_0123456789abcdef0123\n":                                "the key of a service",
		"frontend f\n\tacl is_token path_beg /token\n\tuse_backend token if is_token\n":                         "",
		"frontend f\n\thttp-request redirect location https://x/?token=%[url_param(token)]\n":                   "",
	} {
		require.Equal(t, want, credentials("x.cfg", []byte(text)), text)
	}
}

// TestPushPlan: an order travels with the configuration and goes with it, and nothing else changes.
func TestPushPlan(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	write := func(p crm.Plan, err error) {
		t.Helper()
		require.NoError(t, err)
		require.NoError(t, fake.Apply(t.Context(), p))
	}
	current := func() *crm.CIB {
		cib, err := fake.Query(t.Context())
		require.NoError(t, err)
		return cib
	}
	spec, err := crm.Edit(current(), []crm.Object{
		&crm.Property{Name: "stonith-enabled", Value: "false"},
		&crm.Primitive{Name: "haproxy", Class: "ocf", Provider: "hawser", Type: "haproxy",
			Params: crm.Attrs{{Name: "stop_grace", Value: "7s"}}},
	}, nil)
	require.NoError(t, err)
	write(crm.Diff(current(), spec))
	before := string(current().XML())

	p := &Push{Resource: "haproxy"}
	p.packed, p.Sum = contract.PackConfig([]byte("global\n"))
	order := func(order string) func(string) (string, bool, error) {
		return func(string) (string, bool, error) { return order, order != "", nil }
	}
	write(pushPlan(current(), p, order(p.order(contract.PushCheck))))
	require.Contains(t, string(current().XML()), p.packed)
	require.Contains(t, string(current().XML()), `value="check:`+p.Sum)
	write(pushPlan(current(), p, order(p.order(contract.PushTake))))
	require.Equal(t, 1, strings.Count(string(current().XML()), p.Sum))
	write(pushPlan(current(), p, order("")))
	after := string(current().XML())
	require.NotContains(t, after, "push")
	require.Equal(t, strings.Count(before, "nvpair"), strings.Count(after, "nvpair"))

	empty, err := pushPlan(current(), p, order(""))
	require.NoError(t, err)
	require.True(t, empty.Empty())
}

func TestAnswers(t *testing.T) {
	order := contract.NewPushOrder(contract.PushCheck, contract.Sum([]byte("a"))).String()
	another := contract.NewPushOrder(contract.PushCheck, contract.Sum([]byte("b"))).String()
	status := func(attributes map[string]string) *crm.Status {
		s := &crm.Status{}
		for _, node := range []string{"lb-1", "lb-2"} {
			s.Nodes = append(s.Nodes, crm.NodeStatus{Name: node, Online: true,
				Attributes: map[string]string{contract.PushAttribute(contract.ResourceOf("haproxy")): attributes[node]}})
			s.Resources = append(s.Resources, crm.ResourceStatus{ID: "haproxy", Active: true,
				Managed: true, Node: node})
		}
		return s
	}
	asked := map[string]bool{}
	all, waiting := answersIn(status(map[string]string{"lb-1": order + " ok",
		"lb-2": another + " ok"}), "haproxy", order, asked)
	require.True(t, waiting, "the answer to another order is none")
	require.Equal(t, []NodePush{{Node: "lb-1", Answer: "ok"}, {Node: "lb-2", Answer: "none"}}, all)

	all, waiting = answersIn(status(map[string]string{"lb-1": order + " ok",
		"lb-2": order + " refused: no such file"}), "haproxy", order, asked)
	require.False(t, waiting)
	require.Equal(t, NodePush{Node: "lb-2", Answer: "refused", Reason: "no such file"}, all[1])
	require.Equal(t, "lb-2: no such file", notOK(all))

	gone := status(map[string]string{"lb-1": order + " ok"})
	gone.Nodes[1].Online, gone.Resources = false, gone.Resources[:1]
	all, waiting = answersIn(gone, "haproxy", order, asked)
	require.False(t, waiting, "nobody waits for a node that is gone")
	require.Equal(t, LeftPush, all[1].Answer)
	require.Empty(t, notOK(all))

	restarting := status(map[string]string{"lb-1": order + " ok"})
	restarting.Resources = restarting.Resources[:1]
	_, waiting = answersIn(restarting, "haproxy", order, asked)
	require.True(t, waiting, "a node on which HAProxy is restarted will answer")
}

// TestPushTargets: each node that will miss a push is named with its reason, and an unmanaged one
// is no mistake of the command line.
func TestPushTargets(t *testing.T) {
	status := &crm.Status{
		Nodes: []crm.NodeStatus{{Name: "lb-1", Online: true},
			{Name: "lb-2", Online: true, Standby: true}, {Name: "lb-3", Online: true}},
		Resources: []crm.ResourceStatus{{ID: "haproxy", Active: true, Managed: true, Node: "lb-1"}},
	}
	there, absent, err := pushTargets(status, "haproxy")
	require.NoError(t, err)
	require.Equal(t, []string{"lb-1"}, there)
	require.Len(t, absent, 2)
	require.Contains(t, absent[0].Reason, "standby")
	require.Contains(t, absent[1].Reason, "does not run there")

	status.Resources[0].Managed = false
	_, _, err = pushTargets(status, "haproxy")
	require.Equal(t, outcome.Resource, outcome.Of(err))
	require.ErrorContains(t, err, "lb-1")
}

// TestPushTimesOut checks that the error says what is not known, though Pacemaker has reported
// nothing in time.
func TestPushTimesOut(t *testing.T) {
	fake := crmtest.New("lb-1")
	r := &Roller{Cluster: fake}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	_, err := r.answers(ctx, &Push{Resource: "haproxy"}, "check:abc", map[string]bool{})
	require.Equal(t, outcome.Timeout, outcome.Of(err))
	require.NotContains(t, err.Error(), ": ;")
}
