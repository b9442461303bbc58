package io.weft.policy.xds;

import io.weft.policy.Health;
import io.weft.policy.proto.rpc.Status;
import java.util.Optional;

/** What istiod calls health information: a request of a type that has no resources, with what is wrong where a NACK has it. */
final class HealthMessage {
    static final String TYPE_URL = "type.googleapis.com/istio.v1.HealthInformation";

    private HealthMessage() {}

    static Optional<Status> problem(Health health) {
        return health.problem().map(text -> Status.newBuilder().setCode(GrpcStatus.Code.INTERNAL.ordinal()).setMessage(text).build());
    }
}
