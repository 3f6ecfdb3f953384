// What `npm run release:version` writes of each changeset: its words. All packages have one version, so that what others have changed says nothing.
export default {
  getReleaseLine: async ({ summary }) => `- ${summary.trim().replaceAll("\n", "\n  ")}`,
  getDependencyReleaseLine: async () => "",
};
