/** A RuntimeClass, with what a virtual machine takes beside its pod. */
export function kubernetesSnippet(): string {
  return `apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: kata
handler: kata
overhead:
  podFixed:
    memory: "2560Mi"
    cpu: "250m"
`;
}
