package io.weft.dataplane.route;

import io.weft.policy.model.RouteAction.PathRewrite;
import io.weft.policy.model.RouteAction.ReplaceMatched;
import io.weft.policy.model.RouteAction.ReplaceRegex;

/** A {@link PathRewrite} made ready: a request's target in, the new one out; query and fragment stay. Immutable. */
@FunctionalInterface
interface PathChange {
    String apply(String target);

    static PathChange of(PathRewrite rewrite, PathTest path) {
        if (rewrite instanceof ReplaceMatched matched) {
            return target -> matched.replacement() + target.substring(path.matchedLength(target));
        }
        ReplaceRegex by = (ReplaceRegex) rewrite;
        RegexReplacement regex = new RegexReplacement(by.regex(), by.substitution());
        return target -> {
            int end = PathTest.end(target);
            return regex.apply(target.substring(0, end)) + target.substring(end);
        };
    }
}
