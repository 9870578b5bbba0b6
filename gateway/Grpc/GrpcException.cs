namespace VoiceGrains.Gateway.Grpc;

/// <summary>Ends a call with a status that only gRPC knows; refusals that REST has too are <c>PlatformException</c>s.</summary>
/// <param name="detail">Fit for the client to read.</param>
internal sealed class GrpcException(GrpcStatusCode code, string detail) : Exception(detail)
{
    public GrpcStatusCode Code => code;
}
