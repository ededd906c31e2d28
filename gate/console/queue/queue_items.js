// The open cases of a queue. A case keeps its button for as long as it is there, so that no click is lost when others come or go.

export default {
  template: `
    <div class="queue-items">
      <button v-for="item in items" :key="item.id" type="button" class="btn queue-item" data-testid="role-queue-item"
        :data-case-id="item.id" :data-selected="item.selected" :data-waiting="item.waiting" :data-urgency="item.urgency"
        :data-claimed="item.claimed" :data-status="item.status" :aria-current="item.selected ? 'true' : 'false'"
        @click="$emit('select', item.id)">
        <div class="queue-mark">{{ item.mark }}</div>
        <div class="queue-lane">{{ item.lane }}</div>
        <div class="queue-id">{{ item.short }}</div>
        <div class="queue-age">{{ item.age }}</div>
        <div class="queue-who">{{ item.who }}</div>
      </button>
    </div>`,
  props: { items: { type: Array, default: () => [] } },
  emits: ["select"],
};
