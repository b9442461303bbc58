package io.weft.dataplane.filter;

import io.weft.dataplane.FilterState.StateObject;
import io.weft.dataplane.HttpStream;
import io.weft.dataplane.format.Formatter;
import io.weft.dataplane.format.ProcessInfo;
import io.weft.policy.model.HttpFilter.SetFilterState;
import io.weft.policy.model.HttpFilter.StateValue;
import java.util.ArrayList;
import java.util.List;

/** {@code envoy.filters.http.set_filter_state}: puts down what hash policies, rules and formats may ask for. */
final class SetFilterStateFilter extends HttpFilter {
    private final List<Value> values = new ArrayList<>();

    private record Value(StateValue config, Formatter text) {}

    /** @param levels most specific first, the connection manager's last; of all of them, it says its values first */
    SetFilterStateFilter(List<SetFilterState> levels, ProcessInfo process) {
        for (int i = levels.size() - 1; i >= 0; i--) {
            for (StateValue value : levels.get(i).values()) {
                values.add(new Value(value, Formatter.of(value.text(), process)));
            }
        }
    }

    @Override
    public Decision onRequest(HttpStream stream) {
        for (int i = 0; i < values.size(); i++) {
            StateValue config = values.get(i).config;
            String text = values.get(i).text.format(stream.head(), null, stream, config.omitsMissing() ? "" : "-");
            if (!text.isEmpty() || !config.skipIfEmpty()) {
                stream.putState(config.key(), new StateObject(text, config.hashable()));
            }
        }
        return Decision.CONTINUE;
    }
}
