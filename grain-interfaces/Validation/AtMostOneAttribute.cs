namespace VoiceGrains.GrainInterfaces.Validation;

/// <summary>Of these wire fields a request may set one, or must set exactly one. Null counts as not set, and so do empty text and false.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class AtMostOneAttribute(params string[] fields) : Attribute
{
    public IReadOnlyList<string> Fields => fields;

    /// <summary>Whether none is an error too.</summary>
    public bool Required { get; init; }
}

/// <summary>Wire fields that an answer carries and a request may repeat: they are accepted and ignored, as read-only fields are.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ReadOnlyFieldsAttribute(params string[] fields) : Attribute
{
    public IReadOnlyList<string> Fields => fields;
}
