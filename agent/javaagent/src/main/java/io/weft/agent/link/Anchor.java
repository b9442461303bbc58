package io.weft.agent.link;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Ties links to the life of a class of the app: a ClassValue's value is stored in the Class itself. */
final class Anchor extends ClassValue<Map<Attachment, Link>> {

    @Override
    protected Map<Attachment, Link> computeValue(Class<?> type) {
        return new ConcurrentHashMap<>();
    }
}
