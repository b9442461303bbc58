package io.weft.policy.parse;

import io.weft.policy.model.JwtAuthentication;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.ValueMatch;
import io.weft.policy.proto.envoy.config.rbac.v3.MetadataSource;
import io.weft.policy.proto.envoy.config.rbac.v3.SourcedMetadata;
import io.weft.policy.proto.envoy.type.matcher.v3.DoubleMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.MetadataMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.ValueMatcher;
import java.util.ArrayList;
import java.util.List;

/** Rules about what a filter before has written of a request. What nobody here writes is refused: it could not be told from what is missing. */
final class MetadataParser {
    private MetadataParser() {}

    static Rbac.Metadata parse(Field field, SourcedMetadata sourced) {
        field.refuseIf(sourced.getMetadataSource() != MetadataSource.DYNAMIC, "metadata_source", "must be DYNAMIC: a route's is not looked at");
        field.refuseIf(!sourced.hasMetadataMatcher(), "metadata_matcher", "is missing");
        return parse(field.at("metadata_matcher"), sourced.getMetadataMatcher());
    }

    static Rbac.Metadata parse(Field field, MetadataMatcher matcher) {
        field.refuseIf(!matcher.getFilter().equals(JwtAuthentication.METADATA), "filter",
                "must be " + JwtAuthentication.METADATA + ": no other filter here writes metadata");
        field.refuseIf(matcher.getPathCount() == 0, "path", "is empty; set at least one key");
        List<String> path = new ArrayList<>(matcher.getPathCount());
        for (int i = 0; i < matcher.getPathCount(); i++) {
            path.add(field.at("path", i).at("key").notEmpty(matcher.getPath(i).getKey()));
        }
        field.refuseIf(!matcher.hasValue(), "value", "is missing");
        return new Rbac.Metadata(matcher.getFilter(), path, value(field.at("value"), matcher.getValue()), matcher.getInvert());
    }

    private static ValueMatch value(Field field, ValueMatcher matcher) {
        switch (matcher.getMatchPatternCase()) {
            case NULL_MATCH:
                return new ValueMatch.Null();
            case DOUBLE_MATCH:
                return number(field.at("double_match"), matcher.getDoubleMatch());
            case STRING_MATCH:
                return new ValueMatch.Text(MatchParser.string(field.at("string_match"), matcher.getStringMatch()));
            case BOOL_MATCH:
                return new ValueMatch.Bool(matcher.getBoolMatch());
            case PRESENT_MATCH:
                // As in Envoy: "not present" is what nothing is.
                return matcher.getPresentMatch() ? new ValueMatch.Present() : new ValueMatch.Never();
            case LIST_MATCH:
                Field list = field.at("list_match");
                list.refuseIf(!matcher.getListMatch().hasOneOf(), "one_of", "is missing");
                return new ValueMatch.OneOf(value(list.at("one_of"), matcher.getListMatch().getOneOf()));
            case OR_MATCH:
                Field or = field.at("or_match");
                or.refuseIf(matcher.getOrMatch().getValueMatchersCount() < 2, "value_matchers", "must be at least two");
                List<ValueMatch> any = new ArrayList<>(matcher.getOrMatch().getValueMatchersCount());
                for (int i = 0; i < matcher.getOrMatch().getValueMatchersCount(); i++) {
                    any.add(value(or.at("value_matchers", i), matcher.getOrMatch().getValueMatchers(i)));
                }
                return new ValueMatch.Or(any);
            default:
                throw field.refuse("is empty; set string_match or another");
        }
    }

    private static ValueMatch number(Field field, DoubleMatcher matcher) {
        switch (matcher.getMatchPatternCase()) {
            case RANGE:
                return new ValueMatch.Between(matcher.getRange().getStart(), matcher.getRange().getEnd());
            case EXACT:
                return new ValueMatch.Exactly(matcher.getExact());
            default:
                throw field.refuse("is empty; set range or exact");
        }
    }
}
