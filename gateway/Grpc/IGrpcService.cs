namespace VoiceGrains.Gateway.Grpc;

/// <summary>A service of the API: the methods that it adds.</summary>
internal interface IGrpcService
{
    IEnumerable<GrpcMethod> Methods { get; }
}
