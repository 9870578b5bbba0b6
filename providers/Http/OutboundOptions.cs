namespace VoiceGrains.Providers.Http;

/// <summary>Section <c>Outbound</c>: where URLs given by tenants may lead.</summary>
public sealed class OutboundOptions
{
    /// <summary>Networks in CIDR notation that are allowed although they are not public, for example <c>10.20.0.0/16</c> or <c>fd00:1::/64</c>. Default none.</summary>
    public List<string> AllowedNetworks { get; set; } = [];
}
