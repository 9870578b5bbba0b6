namespace VoiceGrains.GrainInterfaces.Validation;

/// <summary>JSON that is kept as it came but must read as this record.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ShapeAttribute(Type type) : Attribute
{
    public Type Type => type;
}
