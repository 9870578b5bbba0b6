using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.Grains.Accounts;

namespace VoiceGrains.Gateway.Accounts;

/// <summary>What all telephony configurations answer.</summary>
internal abstract record TelephonyConfigResponse(TelephonyConfig Config)
{
    private protected TelephonyConfig Config { get; } = Config;

    public IReadOnlyList<Guid> CallCreationAllowedAgentIds => Config.CallCreationAllowedAgentIds ?? [];
    public bool CallCreationAllowAllAgents => Config.CallCreationAllowAllAgents ?? false;
    public IReadOnlyDictionary<string, string> RequestContextMapping => Config.RequestContextMapping ?? new Dictionary<string, string>();

    private protected static KeyPrefixResponse Prefix(string? secret) => new(KeyPrefix.Of(secret ?? ""));
}

/// <summary><c>TwilioConfig</c>.</summary>
internal sealed record TwilioConfigResponse(TwilioConfig Twilio) : TelephonyConfigResponse(Twilio)
{
    private TwilioConfig Twilio { get; } = Twilio;
    public string? AccountSid => Twilio.AccountSid;
    public KeyPrefixResponse AuthTokenPrefix => Prefix(Twilio.AuthToken);
}

/// <summary><c>TelnyxConfig</c>.</summary>
internal sealed record TelnyxConfigResponse(TelnyxConfig Telnyx) : TelephonyConfigResponse(Telnyx)
{
    private TelnyxConfig Telnyx { get; } = Telnyx;
    public string? AccountSid => Telnyx.AccountSid;
    public KeyPrefixResponse ApiKeyPrefix => Prefix(Telnyx.ApiKey);
    public KeyPrefixResponse PublicKeyPrefix => Prefix(Telnyx.PublicKey);
    public string? ApplicationSid => Telnyx.ApplicationSid;
}

/// <summary><c>PlivoConfig</c>.</summary>
internal sealed record PlivoConfigResponse(PlivoConfig Plivo) : TelephonyConfigResponse(Plivo)
{
    private PlivoConfig Plivo { get; } = Plivo;
    public string? AuthId => Plivo.AuthId;
    public KeyPrefixResponse AuthTokenPrefix => Prefix(Plivo.AuthToken);
}

/// <summary><c>AccountTelephonyConfig</c>.</summary>
internal sealed record AccountTelephonyResponse(TwilioConfigResponse? Twilio, TelnyxConfigResponse? Telnyx, PlivoConfigResponse? Plivo);

/// <summary><c>PatchedAccountTelephonyConfig</c>: null removes a configuration, an absent field leaves it.</summary>
internal sealed record AccountTelephonyPatch
{
    public TwilioConfig? Twilio { get; init; }
    public TelnyxConfig? Telnyx { get; init; }
    public PlivoConfig? Plivo { get; init; }
}
