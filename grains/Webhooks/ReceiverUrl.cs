using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Grains.Webhooks;

public static class ReceiverUrl
{
    /// <summary>Refuses what the text alone shows to be wrong. Where a name leads is looked at for each attempt.</summary>
    public static void Check(string text, OutboundGuard guard, InputErrors errors)
    {
        try
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var url)) guard.Check(url);
            else errors.Add("Enter a valid URL (https or http).");
        }
        catch (OutboundBlockedException blocked)
        {
            errors.Add(blocked.Message);
        }
    }
}
