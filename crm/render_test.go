package crm

import (
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"
)

// What is written by lines is what etree would write, whatever XML can hold.
func TestRenderIndentsAsEtreeDoes(t *testing.T) {
	for _, text := range []string{
		`<cib/>`,
		`<cib><configuration/></cib>`,
		`<cib a="1" b="&lt;&gt;&amp;&quot;&apos;&#10;&#9;é"><configuration><x:y x:z="1"/><!-- said --><a>text</a></configuration></cib>`,
		`<cib><a>text<b/></a><a><b/>text</a><a> <b/><?target inst?></a><a><![CDATA[<]]></a></cib>`,
	} {
		doc := etree.NewDocument()
		require.NoError(t, doc.ReadFromString(text))
		dropSpace(doc.Root())
		got := (&CIB{root: doc.Root()}).render()
		copied := etree.NewDocumentWithRoot(doc.Root().Copy())
		copied.Indent(2)
		want, err := copied.WriteToBytes()
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
}
