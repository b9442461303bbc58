package io.weft.policy.parse;

import io.weft.policy.model.Resource;
import io.weft.policy.model.Unhonoured;
import java.time.Instant;
import java.util.List;

/** What became of one resource of a response. */
public sealed interface ParseOutcome {

    ResourceType type();

    /** Empty when the bytes did not even tell a name. */
    String name();

    /** @param since when the control plane's response came; null: it is not of one */
    record Accepted(RawResource raw, Resource resource, List<Unhonoured> unhonoured, Instant since) implements ParseOutcome {
        public Accepted {
            unhonoured = List.copyOf(unhonoured);
        }

        public Accepted(RawResource raw, Resource resource, List<Unhonoured> unhonoured) {
            this(raw, resource, unhonoured, null);
        }

        /** Of a response that came at that time. */
        public Accepted at(Instant time) {
            return new Accepted(raw, resource, unhonoured, time);
        }

        /** The same, with what means the same. */
        public Accepted with(Resource equal) {
            return new Accepted(raw, equal, unhonoured, since);
        }

        @Override
        public ResourceType type() {
            return raw.type();
        }

        @Override
        public String name() {
            return raw.name();
        }
    }

    /**
     * @param path of the field in proto syntax, as {@code virtual_hosts[2].routes[0].route.timeout}; empty: the whole
     * @param reason what is wrong and what to do about it
     */
    record Refused(ResourceType type, String name, String path, String reason) implements ParseOutcome {
        /** For the NACK's error detail and the log. */
        public String message() {
            StringBuilder text = new StringBuilder(type.label());
            if (!name.isEmpty()) {
                text.append(" '").append(name).append('\'');
            }
            text.append(": ");
            if (!path.isEmpty()) {
                text.append(path).append(": ");
            }
            return text.append(reason).toString();
        }
    }
}
