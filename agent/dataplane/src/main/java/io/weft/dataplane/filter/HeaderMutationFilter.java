package io.weft.dataplane.filter;

import io.weft.dataplane.HttpStream;
import io.weft.dataplane.format.ProcessInfo;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HttpFilter.HeaderMutation;
import java.util.ArrayList;
import java.util.List;

/** {@code envoy.filters.http.header_mutation}: changes headers of the request and of the response, the mesh's own included. */
final class HeaderMutationFilter extends HttpFilter {
    private final HeaderEdits headers;

    /** @param levels most specific first, the connection manager's last */
    HeaderMutationFilter(List<HeaderMutation> levels, ProcessInfo process) {
        int last = levels.size() - 1;
        List<HeaderChanges> changes = new ArrayList<>(levels.get(last).mutations());
        boolean mostSpecificWins = levels.get(last).mostSpecificWins();
        for (int i = 0; i < last; i++) {
            changes.addAll(levels.get(mostSpecificWins ? last - 1 - i : i).mutations());
        }
        headers = new HeaderEdits(changes, process);
    }

    @Override
    public Decision onRequest(HttpStream stream) {
        headers.changeRequest(stream);
        return Decision.CONTINUE;
    }

    @Override
    public void onResponse(HttpStream stream) {
        headers.changeResponse(stream);
    }
}
