package io.weft.policy.parse;

import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.proto.envoy.config.common.mutation_rules.v3.HeaderMutation;
import io.weft.policy.proto.envoy.extensions.filters.http.header_mutation.v3.Mutations;
import java.util.ArrayList;
import java.util.List;

/** {@code envoy.extensions.filters.http.header_mutation.v3}. */
final class HeaderMutationParser {
    private HeaderMutationParser() {}

    static HttpFilter filter(Field field, Mutations mutations, boolean mostSpecificWins) {
        field.refuseIf(mutations.getQueryParameterMutationsCount() > 0, "query_parameter_mutations",
                "are not supported; rewrite the path on the route");
        List<HeaderChanges> changes = request(field, "request_mutations", mutations.getRequestMutationsList());
        for (int i = 0; i < mutations.getResponseMutationsCount(); i++) {
            Field at = field.at("response_mutations", i);
            HeaderMutation mutation = mutations.getResponseMutations(i);
            changes.add(mutation.hasAppend()
                    ? new HeaderChanges(List.of(), List.of(), added(at, mutation), List.of())
                    : new HeaderChanges(List.of(), List.of(), List.of(), removed(at, mutation)));
        }
        return new HttpFilter.HeaderMutation(changes, mostSpecificWins);
    }

    /** One after the other, each to one header of a request. */
    static List<HeaderChanges> request(Field parent, String name, List<HeaderMutation> mutations) {
        List<HeaderChanges> changes = new ArrayList<>();
        for (int i = 0; i < mutations.size(); i++) {
            Field at = parent.at(name, i);
            HeaderMutation mutation = mutations.get(i);
            changes.add(mutation.hasAppend()
                    ? new HeaderChanges(added(at, mutation), List.of(), List.of(), List.of())
                    : new HeaderChanges(List.of(), removed(at, mutation), List.of(), List.of()));
        }
        return changes;
    }

    private static List<HeaderChanges.Addition> added(Field field, HeaderMutation mutation) {
        return HeaderChangesParser.addition(field.at("append"), mutation.getAppend());
    }

    private static List<String> removed(Field field, HeaderMutation mutation) {
        if (mutation.getActionCase() != HeaderMutation.ActionCase.REMOVE) {
            throw field.refuse("says nothing to do that is supported; set append or remove");
        }
        return List.of(HeaderChangesParser.headerName(field.at("remove"), mutation.getRemove()));
    }
}
