package io.weft.dataplane.filter;

import io.weft.dataplane.HeaderMutations;
import io.weft.dataplane.HttpStream;
import io.weft.dataplane.format.ProcessInfo;
import io.weft.policy.model.HeaderChanges;
import java.util.List;

/** Header changes of a filter's own, one after the other. Immutable. */
final class HeaderEdits {
    private final HeaderMutations request;
    private final HeaderMutations response;

    HeaderEdits(List<HeaderChanges> changes, ProcessInfo process) {
        request = HeaderMutations.ofRequest(changes, process);
        response = HeaderMutations.ofResponse(changes, process);
    }

    void changeRequest(HttpStream stream) {
        if (!request.isEmpty()) {
            request.changeRequest(stream.requestHeaders(), stream.head(), stream);
        }
    }

    void changeResponse(HttpStream stream) {
        if (!response.isEmpty()) {
            response.changeResponse(stream.responseHeaders(), stream.head(), stream);
        }
    }
}
