package io.weft.dataplane.route;

import io.weft.dataplane.HeaderOverlay;
import io.weft.dataplane.RequestChanges;
import io.weft.dataplane.RequestHead;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.RouteAction.PathRewrite;
import io.weft.policy.model.RouteAction.ReplaceMatched;
import io.weft.policy.model.RouteAction.ReplaceRegex;
import io.weft.policy.model.RouteAction.Rewrite;
import java.util.List;

/** Makes the {@link RequestChanges} of a request that takes a certain route to a certain cluster. Immutable. */
abstract sealed class RequestRecipe {
    private static final RequestRecipe NOTHING = new Constant(RequestChanges.NONE);

    abstract RequestChanges changes(RequestHead request);

    /** @param levels most specific first: cluster, route, virtual host, route configuration */
    static RequestRecipe of(List<HeaderChanges> levels, Rewrite rewrite, PathTest path) {
        HeaderOverlay headers = overlay(levels, null);
        if (rewrite.path().isEmpty() && !headers.conditional()) {
            RequestChanges changes = headers.requestChanges(null, rewrite.host().orElse(null));
            return changes == RequestChanges.NONE ? NOTHING : new Constant(changes);
        }
        return new PerRequest(levels, rewrite, path);
    }

    private static HeaderOverlay overlay(List<HeaderChanges> levels, RequestHead request) {
        HeaderOverlay headers = new HeaderOverlay(request);
        levels.forEach(headers::applyToRequest);
        return headers;
    }

    private static final class Constant extends RequestRecipe {
        private final RequestChanges changes;

        Constant(RequestChanges changes) {
            this.changes = changes;
        }

        @Override
        RequestChanges changes(RequestHead request) {
            return changes;
        }
    }

    private static final class PerRequest extends RequestRecipe {
        private final List<HeaderChanges> levels;
        private final Rewrite rewrite;
        private final PathTest path;
        private final String replacement;
        private final RegexReplacement regex;

        PerRequest(List<HeaderChanges> levels, Rewrite rewrite, PathTest path) {
            this.levels = levels;
            this.rewrite = rewrite;
            this.path = path;
            PathRewrite kind = rewrite.path().orElse(null);
            replacement = kind instanceof ReplaceMatched matched ? matched.replacement() : null;
            regex = kind instanceof ReplaceRegex by ? new RegexReplacement(by.regex(), by.substitution()) : null;
        }

        @Override
        RequestChanges changes(RequestHead request) {
            return overlay(levels, request).requestChanges(rewritten(request.path()), rewrite.host().orElse(null));
        }

        private String rewritten(String target) {
            if (replacement != null) {
                return replacement + target.substring(path.matchedLength(target));
            }
            if (regex == null) {
                return null;
            }
            int end = PathTest.end(target);
            return regex.apply(target.substring(0, end)) + target.substring(end);
        }
    }
}
