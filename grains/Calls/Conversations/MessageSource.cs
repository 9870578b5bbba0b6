namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Who sent a data message, and so who gets what answers it.</summary>
internal enum MessageSource : byte
{
    Client,
    /// <summary>The customer, over the API.</summary>
    Api,
    DataConnection,
}
