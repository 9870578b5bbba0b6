using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Gateway.Limits;

/// <summary>Limits of the REST edge; section <c>Gateway</c>.</summary>
public sealed class GatewayOptions
{
    /// <summary>Largest JSON body, bytes. Default 1 MiB.</summary>
    [Range(1024, 1 << 26)] public int MaxBodyBytes { get; set; } = 1 << 20;

    /// <summary>API requests per second of one account. Default 500, as the hosted service allows; 0 is no limit.</summary>
    [Range(0, int.MaxValue)] public int RequestsPerSecondPerAccount { get; set; } = 500;

    /// <summary>API requests per second of one API key. Default 200, as the hosted service allows; 0 is no limit.</summary>
    [Range(0, int.MaxValue)] public int RequestsPerSecondPerKey { get; set; } = 200;

    /// <summary>Refused requests per second from one address, whose credentials are missing or wrong. Default 50; 0 is no limit.</summary>
    [Range(0, int.MaxValue)] public int AnonymousRequestsPerSecond { get; set; } = 50;

    /// <summary>Base of the absolute URLs in answers, such as <c>https://voice.example.com</c>. Default: as the request came.</summary>
    [Url] public string? PublicUrl { get; set; }

    /// <summary>How fast calls may be created, by the account's plan. A plan that is not named here has no limit.</summary>
    public Dictionary<string, CallCreationLimit> CallCreation { get; set; } = new(StringComparer.OrdinalIgnoreCase)
    {
        ["free"] = new() { PerSecond = 5, PerMinute = 30 },
        ["pro"] = new() { PerSecond = 10, PerMinute = 120 },
        ["scale"] = new() { PerSecond = 30, PerMinute = 360 },
    };
}

/// <summary>Both hold at once.</summary>
public sealed class CallCreationLimit
{
    [Range(1, int.MaxValue)] public int PerSecond { get; set; }
    [Range(1, int.MaxValue)] public int PerMinute { get; set; }
}
