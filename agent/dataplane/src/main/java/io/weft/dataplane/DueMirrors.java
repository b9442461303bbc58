package io.weft.dataplane;

import io.weft.dataplane.route.Mirror;
import java.util.ArrayList;
import java.util.List;

/**
 * The mirrors that one request is to be sent to.
 *
 * @param policy that was in force when it was claimed
 */
record DueMirrors(Policy policy, List<Mirror> mirrors) {

    /** @return null: none */
    static DueMirrors of(Policy policy, List<Mirror> mirrors, int draw) {
        List<Mirror> due = new ArrayList<>(mirrors.size());
        for (Mirror mirror : mirrors) {
            if (mirror.covers(draw)) {
                due.add(mirror);
            }
        }
        return due.isEmpty() ? null : new DueMirrors(policy, due);
    }
}
