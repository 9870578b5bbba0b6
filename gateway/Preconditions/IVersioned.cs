namespace VoiceGrains.Gateway.Preconditions;

/// <summary>An answer about one thing that can be changed.</summary>
internal interface IVersioned
{
    /// <summary>Rises with every change of the thing. What else the answer shows, such as counts, may change without it.</summary>
    long Version { get; }
}
