package crm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFencingDevices(t *testing.T) {
	cib, err := ParseCIB([]byte(`<cib epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes/><resources>
<template id="cut" class="stonith" type="fence_x"/>
<template id="cut-off" class="stonith" type="fence_x"><meta_attributes id="m0"><nvpair id="n0" name="target-role" value="Stopped"/></meta_attributes></template>
<primitive id="plain" class="stonith" type="fence_ssh"/>
<primitive id="made" template="cut"/>
<primitive id="made-off" template="cut-off"/>
<primitive id="made-on" template="cut-off"><meta_attributes id="m1"><nvpair id="n1" name="target-role" value="Started"/></meta_attributes></primitive>
<primitive id="off" class="stonith" type="fence_ssh"><meta_attributes id="m2"><nvpair id="n2" name="target-role" value="stopped"/></meta_attributes></primitive>
<clone id="c"><primitive id="cloned" class="stonith" type="fence_ssh"/></clone>
<group id="g"><primitive id="first" class="stonith" type="fence_ssh"/><primitive id="second" template="cut"/><meta_attributes id="m3"><nvpair id="n3" name="target-role" value="Stopped"/></meta_attributes></group>
<primitive id="web" class="ocf" provider="heartbeat" type="Dummy"/>
</resources><constraints/></configuration><status/></cib>`))
	require.NoError(t, err)
	require.Equal(t, []FencingDevice{
		{ID: "plain", Agent: "stonith:fence_ssh"},
		{ID: "made", Agent: "stonith:fence_x"},
		{ID: "made-off", Agent: "stonith:fence_x", StoppedBy: "cut-off"},
		{ID: "made-on", Agent: "stonith:fence_x"},
		{ID: "off", Agent: "stonith:fence_ssh", StoppedBy: "off"},
		{ID: "cloned", Agent: "stonith:fence_ssh"},
		{ID: "first", Agent: "stonith:fence_ssh", StoppedBy: "g"},
		{ID: "second", Agent: "stonith:fence_x", StoppedBy: "g"},
	}, cib.FencingDevices())

	stopped, err := ParseCIB([]byte(`<cib epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes/><resources>
<primitive id="a" class="stonith" type="x"/><primitive id="b" class="stonith" type="x"><meta_attributes id="m1"><nvpair id="n1" name="target-role" value="Started"/></meta_attributes></primitive>
</resources><constraints/><rsc_defaults><meta_attributes id="rsc-options"><nvpair id="n2" name="target-role" value="Stopped"/></meta_attributes></rsc_defaults></configuration><status/></cib>`))
	require.NoError(t, err)
	require.Equal(t, []FencingDevice{{ID: "a", Agent: "stonith:x", StoppedBy: "rsc_defaults"}, {ID: "b", Agent: "stonith:x"}}, stopped.FencingDevices())
}

func TestWhomADeviceFences(t *testing.T) {
	const text = `<cib epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes/><resources>
<template id="t" class="stonith" type="x"><instance_attributes id="it"><nvpair id="t1" name="pcmk_host_list" value="lb-1 lb-2"/></instance_attributes></template>
%s</resources><constraints/></configuration><status/></cib>`
	const yes, no, unknown = "yes", "no", "unknown"
	param := func(pairs ...string) string {
		attrs := `<primitive id="d" class="stonith" type="x"><instance_attributes id="i">`
		for i := 0; i < len(pairs); i += 2 {
			attrs += fmt.Sprintf(`<nvpair id="n%d" name="%s" value="%s"/>`, i, pairs[i], pairs[i+1])
		}
		return attrs + `</instance_attributes></primitive>`
	}
	for _, c := range []struct{ device, lb1, lb3 string }{
		{`<primitive id="d" class="stonith" type="x"/>`, unknown, unknown},
		{param("pcmk_host_list", "lb-1,lb-2"), yes, no},
		{param("pcmk_host_list", "LB-1 lb-3"), yes, yes},
		{param("pcmk_host_map", "lb-1:17;lb-2:18,19"), yes, no},
		{param("pcmk_host_map", "lb-1=17 lb-2=18", "pcmk_host_list", "lb-3"), yes, yes},
		{param("pcmk_host_map", "lb-1:17", "pcmk_host_check", "dynamic-list"), unknown, unknown},
		{param("pcmk_host_check", "none"), yes, yes},
		{param("pcmk_host_check", "static-list"), no, no},
		{`<primitive id="d" template="t"/>`, yes, no},
		{strings.Replace(param("pcmk_host_list", "lb-1"), `id="i">`, `id="i"><rule id="r" boolean-op="and"/>`, 1), unknown, unknown},
		{strings.Replace(param("pcmk_host_list", "lb-3"), `class="stonith" type="x"`, `template="t"`, 1), no, yes},
	} {
		cib, err := ParseCIB(fmt.Appendf(nil, text, c.device))
		require.NoError(t, err)
		devices := cib.FencingDevices()
		require.Len(t, devices, 1)
		for node, want := range map[string]string{"lb-1": c.lb1, "lb-3": c.lb3} {
			can, known := devices[0].Fences(node)
			require.Equal(t, want, map[bool]map[bool]string{true: {true: yes, false: no}, false: {false: unknown}}[known][can], "%s: %s", node, c.device)
		}
	}
}

func TestNodesThatNothingFences(t *testing.T) {
	parse := func(devices ...string) *CIB {
		text := `<cib epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes/><resources>`
		for i, hosts := range devices {
			set := ""
			if hosts != "" {
				set = fmt.Sprintf(`<instance_attributes id="i%d"><nvpair id="n%d" name="pcmk_host_list" value="%s"/></instance_attributes>`, i, i, hosts)
			}
			text += fmt.Sprintf(`<primitive id="d%d" class="stonith" type="x">%s</primitive>`, i, set)
		}
		cib, err := ParseCIB([]byte(text + `</resources><constraints/></configuration><status/></cib>`))
		require.NoError(t, err)
		return cib
	}
	nodes := []string{"lb-1", "lb-2", "lb-3"}
	require.Empty(t, parse().Unfenced(nodes), "without fencing there is nothing that leaves a node out")
	require.Equal(t, []string{"lb-3"}, parse("lb-1 lb-2").Unfenced(nodes))
	require.Equal(t, []string{"lb-3"}, parse("lb-1", "lb-2").Unfenced(nodes))
	require.Empty(t, parse("lb-1 lb-2", "lb-3").Unfenced(nodes))
	require.Empty(t, parse("lb-1 lb-2", "").Unfenced(nodes), "the second device is asked itself")
}
