namespace Orleans;

/// <summary>On a grain class: its stored type name. Default: the class name in lower case without a trailing "grain".</summary>
/// <param name="grainType">Part of the key of everything stored, so never changed.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class GrainTypeAttribute(string grainType) : Attribute
{
    internal string GrainType { get; } = grainType;
}
