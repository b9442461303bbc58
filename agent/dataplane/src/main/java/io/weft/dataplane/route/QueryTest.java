package io.weft.dataplane.route;

import io.weft.policy.model.QueryMatch;
import java.util.List;

/**
 * A {@link QueryMatch} made ready. As in Envoy the first parameter of the name counts, nothing is percent-decoded, and a
 * parameter without an equals sign has the empty value. Immutable.
 */
final class QueryTest {
    private static final QueryTest[] NONE = {};

    private final String name;
    /** Null: the parameter only has to be there. */
    private final TextTest value;

    private QueryTest(QueryMatch match) {
        name = match.name();
        value = match.match().isPresent() ? TextTest.of(match.match().get()) : null;
    }

    static QueryTest[] of(List<QueryMatch> matches) {
        if (matches.isEmpty()) {
            return NONE;
        }
        QueryTest[] tests = new QueryTest[matches.size()];
        for (int i = 0; i < tests.length; i++) {
            tests[i] = new QueryTest(matches.get(i));
        }
        return tests;
    }

    static boolean all(QueryTest[] tests, String target) {
        for (int i = 0; i < tests.length; i++) {
            if (!tests[i].matches(target)) {
                return false;
            }
        }
        return true;
    }

    boolean matches(String target) {
        int start = target.indexOf('?') + 1;
        if (start == 0) {
            return false;
        }
        while (start <= target.length()) {
            int end = target.indexOf('&', start);
            if (end < 0) {
                end = target.length();
            }
            int nameEnd = start + name.length();
            if (nameEnd <= end
                    && target.startsWith(name, start)
                    && (nameEnd == end || target.charAt(nameEnd) == '=')) {
                return value == null || value.matches(target, Math.min(nameEnd + 1, end), end);
            }
            start = end + 1;
        }
        return false;
    }
}
