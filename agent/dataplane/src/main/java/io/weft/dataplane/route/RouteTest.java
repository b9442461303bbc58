package io.weft.dataplane.route;

import io.weft.dataplane.RequestHead;
import io.weft.policy.model.RouteMatch;

/** A {@link RouteMatch} made ready. Immutable; allocates nothing where no regular expression is in it. */
public final class RouteTest {
    private final PathTest path;
    private final HeaderTest[] headers;
    private final QueryTest[] query;
    private final boolean grpc;
    private final boolean partial;
    private final int numerator;
    private final int denominator;

    public RouteTest(RouteMatch match) {
        path = PathTest.of(match.path(), match.caseSensitive());
        headers = HeaderTest.of(match.headers());
        query = QueryTest.of(match.query());
        grpc = match.grpc();
        partial = match.runtimeFraction().isPresent();
        numerator = partial ? match.runtimeFraction().get().numerator() : 1;
        denominator = partial ? match.runtimeFraction().get().denominator() : 1;
    }

    PathTest path() {
        return path;
    }

    /**
     * @param target the request's path and query
     * @param draw 31 random bits, the request's only ones: as in Envoy all routes compare the same number, so that fractions
     *     of successive routes cut the same range
     */
    public boolean matches(RequestHead request, String target, int draw) {
        return path.matches(target)
                && (!partial || draw % denominator < numerator)
                && (!grpc || request.isGrpc())
                && HeaderTest.all(headers, request)
                && QueryTest.all(query, target);
    }
}
