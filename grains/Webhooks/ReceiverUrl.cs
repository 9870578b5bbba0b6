using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Grains.Webhooks;

public static class ReceiverUrl
{
    /// <summary>RFC 1035 section 2.3.4. A longer one leads nowhere, and could not be kept: the server is part of what the outbox is ordered by.</summary>
    private const int LongestHost = 253;

    /// <summary>Refuses what the text alone shows to be wrong. Where a name leads is looked at for each attempt.</summary>
    public static void Check(string text, OutboundGuard guard, InputErrors errors)
    {
        try
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Host.Length <= LongestHost) guard.Check(url);
            else errors.Add("Enter a valid URL (https or http).");
        }
        catch (OutboundBlockedException blocked)
        {
            errors.Add(blocked.Message);
        }
    }
}
