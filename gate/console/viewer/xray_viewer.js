// Lets the page's server speak to the viewer: properties down, events up.

import { XrayViewer, styleUrl } from "tongguan-xray";
import { loadResource } from "../../static/utils/resources.js";

export default {
  template: '<div class="xray-host"></div>',
  props: { source: Object, marks: Array, texts: Object, mayMark: Boolean },
  async mounted() {
    await this.$nextTick(); // window.path_prefix is set by then
    await loadResource(styleUrl);
    this.viewer = new XrayViewer(this.$el, {
      texts: this.texts,
      mayMark: this.mayMark,
      handlers: {
        mark: (shape) => this.$emit("mark", shape),
        unmark: (id) => this.$emit("unmark", id),
      },
    });
    this.$el.viewer = this.viewer; // for measurements and tests
    this.viewer.setMarks(this.marks ?? []);
    this.viewer.show(this.prefixed(this.source));
  },
  beforeUnmount() {
    this.viewer?.close();
  },
  watch: {
    source(source) {
      this.viewer?.show(this.prefixed(source));
    },
    marks(marks) {
      this.viewer?.setMarks(marks ?? []);
    },
  },
  methods: {
    prefixed(source) {
      if (!source) return null;
      const url = (path) => (path ? window.path_prefix + path : null);
      const one = (view) => ({ ...view, high: url(view.high), low: url(view.low) });
      return {
        ...source,
        views: source.views.map(one),
        previous: source.previous ? one(source.previous) : null,
        next: (source.next ?? []).map(one),
      };
    },
  },
};
