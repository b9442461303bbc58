package io.weft.dataplane.route;

import io.weft.dataplane.HeaderMutations;
import io.weft.dataplane.HeaderOverlay;
import io.weft.dataplane.Headers;
import io.weft.dataplane.RequestChanges;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.ResponseChanges;
import io.weft.dataplane.format.StreamInfo;

/** Makes the {@link ResponseChanges} of a response that came by a certain route from a certain cluster. Immutable. */
abstract sealed class ResponseRecipe {
    private static final ResponseRecipe NOTHING = new Constant(ResponseChanges.NONE);

    /** @param request as it was sent */
    abstract ResponseChanges changes(RequestHead request, Headers response, StreamInfo info);

    static ResponseRecipe of(HeaderMutations headers, boolean attemptCount) {
        if (headers.isEmpty() && !attemptCount) {
            return NOTHING;
        }
        PerResponse recipe = new PerResponse(headers, attemptCount);
        return headers.constant() && !attemptCount
                ? new Constant(recipe.changes(null, name -> null, null))
                : recipe;
    }

    private static final class Constant extends ResponseRecipe {
        private final ResponseChanges changes;

        Constant(ResponseChanges changes) {
            this.changes = changes;
        }

        @Override
        ResponseChanges changes(RequestHead request, Headers response, StreamInfo info) {
            return changes;
        }
    }

    private static final class PerResponse extends ResponseRecipe {
        private final HeaderMutations headers;
        private final boolean attemptCount;

        PerResponse(HeaderMutations headers, boolean attemptCount) {
            this.headers = headers;
            this.attemptCount = attemptCount;
        }

        @Override
        ResponseChanges changes(RequestHead request, Headers response, StreamInfo info) {
            HeaderOverlay changed = new HeaderOverlay(response);
            if (attemptCount) {
                changed.set(RequestChanges.ATTEMPT_COUNT, Integer.toString(info.attemptCount()));
            }
            headers.changeResponse(changed, request, info);
            return changed.responseChanges();
        }
    }
}
